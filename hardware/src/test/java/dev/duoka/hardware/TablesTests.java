package dev.duoka.hardware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tables give samples back, lie between them elsewhere, and never get cheaper with more work. */
final class TablesTests {
  private static final double RATE = 1e12;

  private static ProductSample sample(int groups, long rows, long in, long out) {
    double seconds = 2.0 * rows * in * out / RATE * (1 + 500.0 / Math.min(rows, Math.min(in, out)));
    return new ProductSample(
        NumberFormat.BF16, groups, rows, in, out, seconds, 1.1 * seconds, 1.2 * seconds);
  }

  private static List<ProductSample> samples() {
    List<ProductSample> samples = new ArrayList<>();
    for (long rows : new long[] {512, 2048, 8192}) {
      for (long in : new long[] {512, 2048}) {
        for (long out : new long[] {512, 2048, 8192}) {
          samples.add(sample(0, rows, in, out));
          samples.add(sample(8, 8 * rows, in, out));
        }
      }
    }
    return samples;
  }

  @Test
  void samplesAreGivenBack() {
    ProductTable plain = ProductTable.of(samples(), NumberFormat.BF16, false);
    ProductTable grouped = ProductTable.of(samples(), NumberFormat.BF16, true);
    for (ProductSample it : samples()) {
      for (Pass pass : Pass.values()) {
        double seconds =
            it.groups() == 0
                ? plain.seconds(pass, it.rows(), it.in(), it.out())
                : grouped.seconds(pass, it.groups(), it.rows(), it.in(), it.out());
        assertThat(seconds).isCloseTo(it.seconds(pass), within(1e-9 * it.seconds(pass)));
      }
    }
  }

  @Test
  void betweenSamplesAProductLiesBetweenThem() {
    ProductTable table = ProductTable.of(samples(), NumberFormat.BF16, false);
    double rate = 2.0 * 4096 * 1024 * 4096 / table.seconds(Pass.FORWARD, 4096, 1024, 4096);
    assertThat(rate).isBetween(RATE / (1 + 500.0 / 512), RATE / (1 + 500.0 / 2048));
  }

  @Test
  void aLargerProductIsNeverFasterBeyondTheGridToo() {
    ProductTable table = ProductTable.of(samples(), NumberFormat.BF16, false);
    double before = 0;
    for (double rows = 16; rows <= 1 << 20; rows *= 1.3) {
      double seconds = table.seconds(Pass.WEIGHT_GRADIENTS, rows, 128, 100_000);
      assertThat(seconds).isGreaterThan(before);
      before = seconds;
    }
  }

  @Test
  void aGridWithAHoleIsRefused() {
    List<ProductSample> holed = samples().subList(0, samples().size() - 2);
    assertThatThrownBy(() -> ProductTable.of(holed, NumberFormat.BF16, false))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("17 samples of 18");
  }

  @Test
  void exchangesGrowWithBytesAndShareByRanks() {
    List<ExchangeSample> samples =
        List.of(
            new ExchangeSample("all-reduce", "nccl", 2, 1 << 16, 20e-6),
            new ExchangeSample("all-reduce", "nccl", 2, 1 << 24, 100e-6),
            new ExchangeSample("all-reduce", "nccl", 4, 1 << 16, 30e-6),
            new ExchangeSample("all-reduce", "nccl", 4, 1 << 24, 160e-6),
            new ExchangeSample("all-reduce", "copies", 4, 1 << 24, 1));
    ExchangeTable table = new ExchangeTable(samples, "nccl");
    assertThat(table.seconds("all-reduce", 2, 2, 1 << 24)).hasValue(100e-6);
    assertThat(table.seconds("all-reduce", 4, 4, 1 << 25).orElseThrow())
        .as("beyond the largest by its rate")
        .isCloseTo(320e-6, within(1e-12));
    assertThat(table.seconds("all-reduce", 4, 4, 1).orElseThrow())
        .as("below the smallest its time")
        .isCloseTo(30e-6, within(1e-12));
    assertThat(table.seconds("all-reduce", 2, 4, 1 << 24).orElseThrow())
        .as("two ranks spread over four cards, at the rate of four")
        .isCloseTo(160e-6 * 0.5 / 0.75, within(1e-12));
    assertThat(table.seconds("all-reduce", 2, 2, ((1 << 16) + (1 << 24)) / 2.0).orElseThrow())
        .as("between, a latency and bytes at a rate")
        .isCloseTo(60e-6, within(1e-12));
    assertThat(table.seconds("all-gather", 2, 2, 1 << 20)).isEmpty();
  }

  @Test
  void attentionIsThatOfTheNearestWidths() {
    AttentionTable table =
        new AttentionTable(
            List.of(
                new AttentionSample(8, 1024, 64, 64, 1e-3, 3e-3),
                new AttentionSample(8, 1024, 128, 128, 1e-3, 3e-3)));
    double flops = 8.0 * 1024 * 1024 * (96 + 128);
    double rate = 8.0 * 1024 * 1024 * 256 / 1e-3;
    assertThat(table.seconds(true, flops, 8, 1024, 96, 128)).isCloseTo(flops / rate, within(1e-12));
  }
}
