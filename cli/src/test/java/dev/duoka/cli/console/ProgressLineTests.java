package dev.duoka.cli.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

final class ProgressLineTests {
  private final StringWriter screen = new StringWriter();
  private final PrintWriter out = new PrintWriter(screen);

  @Test
  void theLineSaysHowFarItIsAndGoesAway() {
    ProgressLine line = ProgressLine.drawn("planning", out, true);
    assertThat(line.drawOnce()).isTrue();
    assertThat(screen.toString()).isEqualTo("\r\033[Kplanning … 0 s");
    line.reached("tokenising", 25, 100);
    line.drawOnce();
    assertThat(screen.toString())
        .endsWith("\r\033[Ktokenising [######..................] 25 %, 0 s, 0 s left");
    line.reached("tokenising", 120, 100);
    line.drawOnce();
    assertThat(screen.toString()).contains("[########################] 100 %");
    line.close();
    assertThat(screen.toString()).endsWith("\r\033[K");
    assertThat(line.drawOnce()).isFalse();
  }

  @Test
  void whoWritesBetweenHasTheLineForItself() {
    ProgressLine line = ProgressLine.drawn("planning", out, true);
    line.clear();
    assertThat(screen.toString()).isEmpty();
    line.drawOnce();
    line.clear();
    out.print("a note\n");
    assertThat(screen.toString()).endsWith("\r\033[Ka note\n");
    line.turnTo("writing");
    line.drawOnce();
    assertThat(screen.toString()).endsWith("\r\033[Kwriting … 0 s");
  }

  @Test
  void elsewhereWholeLinesArePrinted() {
    ProgressLine line = ProgressLine.drawn("planning", out, false);
    line.drawOnce();
    line.clear();
    line.reached("planning", 1, 2);
    line.drawOnce();
    line.close();
    assertThat(screen.toString().lines())
        .containsExactly(
            "planning … 0 s", "planning [############............] 50 %, 0 s, 0 s left");
  }

  /** Tests have no terminal. */
  @Test
  void whatIsSoonDoneSaysNothing() {
    ProgressLine line = ProgressLine.open("planning", out);
    line.reached("planning", 1, 2);
    line.close();
    assertThat(screen.toString()).isEmpty();
  }
}
