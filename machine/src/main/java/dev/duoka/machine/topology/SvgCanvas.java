package dev.duoka.machine.topology;

import java.util.Locale;

/** Collects SVG elements; panels added by {@link #under} lie beneath everything else. */
final class SvgCanvas {
  private static final String STYLE =
      """
      text { font-family: system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif;
             fill: #1b2430; font-size: 12px; }
      .background { fill: #ffffff; }
      .title { font-size: 16px; font-weight: 600; }
      .label { fill: #5b6775; }
      .small { fill: #5b6775; font-size: 10.5px; }
      .chip { font-size: 10.5px; }
      .gpu-name { font-size: 14px; font-weight: 600; }
      .node { fill: #f3f5f8; stroke: #c9d1db; }
      .switch { fill: #ffffff; stroke: #c9d1db; }
      .gpu { fill: #e3f1e1; stroke: #4c8f3f; stroke-width: 1.5; }
      .nic { fill: #e6ecfa; stroke: #5673c4; }
      .bar { fill: #3f8f2f; }
      .bar-text { fill: #ffffff; font-weight: 600; }
      .arc-text { font-size: 10.5px; font-weight: 600; }
      .nvlink { stroke: #3f8f2f; fill: none; }
      .between { stroke: #5b6775; fill: none; }
      @media (prefers-color-scheme: dark) {
        text { fill: #e6ebf1; }
        .background { fill: #11161d; }
        .label, .small { fill: #9aa7b5; }
        .node { fill: #1a212b; stroke: #3a4552; }
        .switch { fill: #222b37; stroke: #3a4552; }
        .gpu { fill: #1f3320; stroke: #6fbf5f; }
        .nic { fill: #1e2a47; stroke: #7f9be8; }
        .bar { fill: #6fbf5f; }
        .bar-text { fill: #0d130c; }
        .nvlink { stroke: #6fbf5f; }
        .between { stroke: #9aa7b5; }
      }
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
            y - 2 * rise,
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
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
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
