package dev.duoka.experiment.ladder;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * A ladder as a picture: for each rung its tokens a second and its memory, measured and predicted.
 */
final class LadderPicture {
  private static final int LEFT = 60;
  private static final int PANEL = 170;
  private static final int TOP = 52;
  private static final int BETWEEN = 56;
  private static final int NARROWEST = 120;
  private static final int LETTER = 7;
  private static final int LETTER_HEIGHT = 11;
  private static final int BAR = 64;
  private static final double GIB = 1L << 30;
  private static final double MIB = 1L << 20;

  private static final String STYLE =
      """
      text { font-family: system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif;
             fill: #1b2430; font-size: 12px; }
      .background { fill: #ffffff; }
      .title { font-size: 15px; font-weight: 600; }
      .small { fill: #5b6775; font-size: 10.5px; }
      .inside { fill: #ffffff; font-size: 10.5px; }
      .bar { fill: #5673c4; }
      .failed { fill: #c4564f; }
      .said { stroke: #1b2430; stroke-width: 2; }
      .floor { stroke: #c9d1db; }
      @media (prefers-color-scheme: dark) {
        text { fill: #e6ebf1; }
        .background { fill: #11161d; }
        .small { fill: #9aa7b5; }
        .inside { fill: #11161d; }
        .bar { fill: #7f9be8; }
        .said { stroke: #e6ebf1; }
        .floor { stroke: #3a4552; }
      }
      """;

  private final StringBuilder elements = new StringBuilder();

  /** From one rung to the next: as wide as the longest name. */
  private final int wide;

  private LadderPicture(List<RungResult> rungs) {
    this.wide =
        rungs.stream()
            .mapToInt(rung -> LETTER * rung.rung().mesh().length() + BETWEEN / 2)
            .reduce(NARROWEST, Math::max);
  }

  /** An SVG document. */
  static String of(LadderResult result) {
    List<RungResult> rungs = result.rungs();
    LadderPicture picture = new LadderPicture(rungs);
    int width = LEFT + picture.wide * Math.max(3, rungs.size()) + 20;
    int height = TOP + 2 * (PANEL + BETWEEN) + 20;
    double tokens = result.tokensPerCard();
    picture.text(LEFT, 24, "title", "start", result.runFile().getFileName() + ", rung by rung");
    picture.panel(
        rungs,
        TOP,
        "tokens/s",
        "%,.0f",
        rung -> value(rung, it -> it.speed().map(RungSpeed::tokensPerSecond)),
        rung ->
            value(rung, it -> it.speed().map(at -> tokens * it.rung().ranks() / at.predicted())),
        1);
    double most = rungs.stream().mapToDouble(LadderPicture::measured).max().orElse(0);
    boolean large = most >= GIB;
    picture.panel(
        rungs,
        TOP + PANEL + BETWEEN,
        large ? "GiB of the fullest rank" : "MiB of the fullest rank",
        "%,.1f",
        LadderPicture::measured,
        rung -> value(rung, it -> it.memory().map(RungMemory::predicted)),
        large ? GIB : MIB);
    picture.text(
        LEFT, height - 10, "small", "start", "bars: measured; lines across them: predicted");
    return String.format(
            Locale.ROOT,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\""
                + " height=\"%d\" role=\"img\">%n<title>A ladder of ranks</title>%n<style>%n",
            width,
            height,
            width,
            height)
        + STYLE
        + "</style>\n"
        + String.format(
            Locale.ROOT, "<rect class=\"background\" width=\"%d\" height=\"%d\"/>%n", width, height)
        + picture.elements
        + "</svg>\n";
  }

  private static double measured(RungResult rung) {
    return value(rung, it -> it.memory().map(RungMemory::measured));
  }

  private static double value(RungResult rung, Function<RungResult, Optional<Double>> of) {
    double value = of.apply(rung).orElse(0.0);
    return Double.isFinite(value) ? value : 0;
  }

  private void panel(
      List<RungResult> rungs,
      int top,
      String name,
      String format,
      ToDoubleFunction<RungResult> measured,
      ToDoubleFunction<RungResult> predicted,
      double unit) {
    text(LEFT, top - 8, "small", "start", name);
    double most =
        rungs.stream()
            .mapToDouble(it -> Math.max(measured.applyAsDouble(it), predicted.applyAsDouble(it)))
            .max()
            .orElse(0);
    int floor = top + PANEL;
    for (int i = 0; i < rungs.size(); i++) {
      RungResult rung = rungs.get(i);
      int middle = LEFT + wide * i + wide / 2;
      double value = measured.applyAsDouble(rung);
      double bar = most > 0 ? (PANEL - 20) * value / most : 0;
      add(
          String.format(
              Locale.ROOT,
              "<rect class=\"%s\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"/>",
              rung.fault().isPresent() ? "failed" : "bar",
              middle - BAR / 2,
              floor - bar,
              BAR,
              bar));
      double said = predicted.applyAsDouble(rung);
      if (said > 0) {
        double y = floor - (PANEL - 20) * said / most;
        add(
            String.format(
                Locale.ROOT,
                "<line class=\"said\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>",
                middle - BAR / 2 - 6,
                middle + BAR / 2 + 6,
                y,
                y));
      }
      String shown = value > 0 ? String.format(Locale.ROOT, format, value / unit) : "–";
      double line = said > 0 ? (PANEL - 20) * said / most : 0;
      number(middle, floor, bar, line, shown);
      text(middle, floor + 16, "label", "middle", rung.rung().mesh());
      if (top == TOP) {
        text(middle, floor + 30, "small", "middle", below(rung));
      }
    }
    add(
        String.format(
            Locale.ROOT,
            "<line class=\"floor\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>",
            LEFT,
            LEFT + wide * rungs.size(),
            floor,
            floor));
  }

  /** What was measured, at the end of its bar and never beside the line of what was predicted. */
  private void number(int middle, int floor, double bar, double line, String shown) {
    boolean free = line < bar - 2 || line > bar + LETTER_HEIGHT + 4;
    boolean fits = bar > LETTER_HEIGHT + 6 && (line >= bar - 2 || line < bar - LETTER_HEIGHT - 4);
    if (free || !fits) {
      double above = free ? bar : Math.max(bar, line);
      text(middle, (int) (floor - above) - 5, "small", "middle", shown);
    } else {
      text(middle, (int) (floor - bar) + LETTER_HEIGHT + 3, "inside", "middle", shown);
    }
  }

  private static String below(RungResult rung) {
    if (rung.fault().isPresent()) {
      return "fails: " + rung.fault().get().check();
    }
    return rung.speed()
        .flatMap(RungSpeed::efficiency)
        .map(it -> String.format(Locale.ROOT, "efficiency %.0f %%", 100 * it.estimate()))
        .orElse(rung.held() ? "" : "does not hold it");
  }

  private void text(int x, int y, String style, String anchor, String text) {
    add(
        String.format(
            Locale.ROOT,
            "<text class=\"%s\" x=\"%d\" y=\"%d\" text-anchor=\"%s\">%s</text>",
            style,
            x,
            y,
            anchor,
            text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")));
  }

  private void add(String element) {
    elements.append(element).append('\n');
  }
}
