package dev.duoka.machine.topology;

import java.util.Locale;

/** Collects SVG elements; panels added by {@link #under} lie beneath everything else. */
final class SvgCanvas {
  private static final String STYLE =
      """
      svg { --bg: #ffffff; --fg: #1b2430; --muted: #5b6775; --panel: #f3f5f8; --edge: #c9d1db;
            --gpu: #e3f1e1; --gpu-edge: #4c8f3f; --nic: #e6ecfa; --nic-edge: #5673c4;
            --switch: #ffffff; --nv: #3f8f2f; --on-nv: #ffffff; }
      @media (prefers-color-scheme: dark) {
        svg { --bg: #11161d; --fg: #e6ebf1; --muted: #9aa7b5; --panel: #1a212b; --edge: #3a4552;
              --gpu: #1f3320; --gpu-edge: #6fbf5f; --nic: #1e2a47; --nic-edge: #7f9be8;
              --switch: #222b37; --nv: #6fbf5f; --on-nv: #0d130c; } }
      text { font-family: system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif;
             fill: var(--fg); font-size: 12px; }
      .background { fill: var(--bg); }
      .title { font-size: 16px; font-weight: 600; }
      .label { fill: var(--muted); }
      .small { fill: var(--muted); font-size: 10.5px; }
      .chip { font-size: 10.5px; }
      .gpu-name { font-size: 14px; font-weight: 600; }
      .node { fill: var(--panel); stroke: var(--edge); }
      .switch { fill: var(--switch); stroke: var(--edge); }
      .gpu { fill: var(--gpu); stroke: var(--gpu-edge); stroke-width: 1.5; }
      .nic { fill: var(--nic); stroke: var(--nic-edge); }
      .bar { fill: var(--nv); }
      .bar-text { fill: var(--on-nv); font-weight: 600; }
      .arc-text { fill: var(--fg); font-size: 10.5px; font-weight: 600;
                  paint-order: stroke; stroke: var(--bg); stroke-width: 3px; }
      .nvlink { stroke: var(--nv); fill: none; }
      .between { stroke: var(--muted); fill: none; }
      """;

  private final StringBuilder under = new StringBuilder();
  private final StringBuilder elements = new StringBuilder();

  void under(int x, int y, int width, int height, String style) {
    under.append(rectangle(x, y, width, height, style, 10));
  }

  void box(int x, int y, int width, int height, String style) {
    elements.append(rectangle(x, y, width, height, style, 6));
  }

  void text(int x, int y, String style, String text) {
    elements.append(
        String.format(
            Locale.ROOT,
            "<text class=\"%s\" x=\"%d\" y=\"%d\">%s</text>%n",
            style,
            x,
            y,
            escaped(text)));
  }

  void centred(int x, int y, String style, String text) {
    if (!text.isEmpty()) {
      elements.append(
          String.format(
              Locale.ROOT,
              "<text class=\"%s\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>%n",
              style,
              x,
              y,
              escaped(text)));
    }
  }

  void line(int x1, int y1, int x2, int y2, String style, int width) {
    elements.append(
        String.format(
            Locale.ROOT,
            "<line class=\"%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke-width=\"%d\"/>%n",
            style,
            x1,
            y1,
            x2,
            y2,
            width));
  }

  void arc(int from, int to, int y, int rise, double width) {
    elements.append(
        String.format(
            Locale.ROOT,
            "<path class=\"nvlink\" d=\"M %d %d Q %d %d %d %d\" stroke-width=\"%.1f\"/>%n",
            from,
            y,
            (from + to) / 2,
            y - 2 * rise + rise / 2,
            to,
            y,
            width));
  }

  String finish(int width, int height) {
    return String.format(
            Locale.ROOT,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\""
                + " height=\"%d\" role=\"img\">%n<title>GPU topology</title>%n<style>%n",
            width,
            height,
            width,
            height)
        + STYLE
        + "</style>\n"
        + rectangle(0, 0, width, height, "background", 0)
        + under
        + elements
        + "</svg>\n";
  }

  private static String rectangle(int x, int y, int width, int height, String style, int radius) {
    return String.format(
        Locale.ROOT,
        "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\"/>%n",
        style,
        x,
        y,
        width,
        height,
        radius);
  }

  private static String escaped(String text) {
    StringBuilder out = new StringBuilder();
    for (char c : text.toCharArray()) {
      switch (c) {
        case '<' -> out.append("&lt;");
        case '>' -> out.append("&gt;");
        case '&' -> out.append("&amp;");
        case '"' -> out.append("&quot;");
        default -> out.append(c < ' ' ? ' ' : c);
      }
    }
    return out.toString();
  }
}
