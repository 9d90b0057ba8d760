package dev.duoka.operations.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

final class GoodputTests {
  private static final double NONE = Double.NaN;

  @Test
  void theTimeGoesWhereItWasSpent() {
    Goodput goodput = new Goodput();
    double time = 1000;
    for (int step = 0; step < 100; step++) {
      time += 0.5;
      goodput.step(time, 0.5, 0.05, step % 10 == 5 ? 0.1 : NONE);
    }
    goodput.validation(time + 4);
    goodput.step(time + 4 + 2.5, 0.5, 0, NONE); // two seconds of something else
    goodput.step(time + 4 + 2.5 + 100.5, 0.5, 0, NONE); // it was killed, and started again
    Goodput.Times times = goodput.times();
    assertThat(times.wall()).isCloseTo(50 + 4 + 2.5 + 100.5, within(1e-6));
    assertThat(times.steps()).isCloseTo(51, within(1e-6));
    assertThat(times.data()).isCloseTo(5, within(1e-6));
    assertThat(times.exposedShare()).isCloseTo(0.2, within(1e-6));
    assertThat(times.validation()).isCloseTo(4, within(1e-6));
    assertThat(times.other()).isCloseTo(2, within(1e-6));
    assertThat(times.stopped()).isCloseTo(100, within(1e-6));
    assertThat(times.ratio()).isCloseTo(46.0 / 157, within(1e-6));
  }

  @Test
  void linesWithoutTimesAreNoTime() {
    Goodput goodput = new Goodput();
    goodput.step(NONE, 1, 0, NONE);
    goodput.validation(NONE);
    assertThat(goodput.times().wall()).isZero();
    assertThat(goodput.times().ratio()).isNaN();
  }
}
