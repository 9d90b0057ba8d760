package dev.duoka.operations.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class PixelColumnsTests implements PixelColumns.Sink {
  private final List<Long> steps = new ArrayList<>();
  private final List<Double> values = new ArrayList<>();
  private final List<String> bad = new ArrayList<>();

  @Override
  public void value(long step, double value) {
    steps.add(step);
    values.add(value);
  }

  @Override
  public void notANumber(long step, int count) {
    bad.add(step + "x" + count);
  }

  @Test
  void ofAMillionStepsOneSpikeAndOneNanAreShown() {
    Series series = new Series();
    for (int step = 1; step <= 1_000_000; step++) {
      double usual = 2 + (step % 10) / 100.0;
      series.add(step, step == 345_678 ? 99 : step == 765_432 ? Double.NaN : usual);
    }
    PixelColumns.show(series, 1, 1_000_000, 600, this);
    assertThat(steps).hasSizeLessThanOrEqualTo(1200).isSorted();
    assertThat(values.get(steps.indexOf(345_678L))).isEqualTo(99);
    assertThat(values).filteredOn(value -> value > 3).hasSize(1);
    assertThat(values).contains(2.0, 2.09);
    assertThat(bad).containsExactly("765432x1");
  }

  @Test
  void fewStepsAreShownAsTheyAre() {
    Series series = new Series();
    series.add(10, 1);
    series.add(20, Double.POSITIVE_INFINITY);
    series.add(30, 3);
    PixelColumns.show(series, 10, 30, 600, this);
    assertThat(steps).containsExactly(10L, 30L);
    assertThat(bad).containsExactly("20x1");
  }

  @Test
  void linesGoOnToTheEdges() {
    Series series = new Series();
    for (int step = 1; step <= 9; step++) {
      series.add(step, step);
    }
    PixelColumns.show(series, 4, 5, 600, this);
    assertThat(steps).containsExactly(3L, 4L, 5L, 6L);
    steps.clear();
    PixelColumns.show(series, 20, 30, 600, this);
    assertThat(steps).containsExactly(9L);
  }

  @Test
  void aColumnOfNothingButNansIsShown() {
    Series series = new Series();
    for (int step = 0; step < 100; step++) {
      series.add(step, Double.NaN);
    }
    PixelColumns.show(series, 0, 99, 2, this);
    assertThat(values).isEmpty();
    assertThat(bad).containsExactly("0x50", "50x50");
  }
}
