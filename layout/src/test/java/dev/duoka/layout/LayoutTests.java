package dev.duoka.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import org.junit.jupiter.api.Test;

/** What a layout says of itself, and the words that run files, reports and JSON use. */
final class LayoutTests {
  private static final Layout WIDE =
      new Layout(
          4,
          2,
          3,
          8,
          2,
          1,
          2,
          16,
          Recompute.SELECTIVE,
          Offload.OPTIMIZER,
          LossKind.FUSED,
          Precision.BF16,
          Method.LORA);

  private static final Layout ALONE =
      new Layout(
          1,
          1,
          1,
          1,
          1,
          0,
          1,
          1,
          Recompute.NONE,
          Offload.NONE,
          LossKind.CHUNKED,
          Precision.FP32,
          Method.FULL);

  @Test
  void expertsLieOnRanksThatTheOtherAxesMake() {
    assertThat(WIDE.gpus()).isEqualTo(4 * 2 * 3 * 2);
    assertThat(WIDE.replicas()).isEqualTo(4 * 2);
    assertThat(WIDE.expertReplicas()).isEqualTo(4 * 2 * 2 / 8);
    assertThat(WIDE.axes()).isEqualTo(5);
    assertThat(ALONE.axes()).isZero();
  }

  @Test
  void saysInWordsWhatIsNotUsual() {
    assertThat(WIDE)
        .hasToString(
            "data 4 × tensor 2 × pipeline 3 × context 2, expert 8, ZeRO 1, micro-batch 2 × 16,"
                + " recompute selective, offload optimizer, loss fused, bf16, lora");
    assertThat(ALONE.inBucketsOf(3))
        .hasToString("data 1, ZeRO 0, buckets of 3 blocks, micro-batch 1 × 1, fp32");
    assertThat(ALONE).hasToString("data 1, ZeRO 0, micro-batch 1 × 1, fp32");
    assertThat(WIDE.offloading(0.5).toString()).contains("offload optimizer (50 %),");
  }

  /** Where nothing is away, or the host updates it, there is no part of it. */
  @Test
  void aFractionIsOfStatesThatPassThroughTheDevice() {
    assertThat(ALONE.offloading(0.5)).isEqualTo(ALONE);
    Layout half = WIDE.offloading(0.5);
    assertThat(half.inBucketsOf(2).offloadFraction()).isEqualTo(0.5);
    assertThat(half.withoutStates()).isEqualTo(WIDE.withoutStates());
    assertThat(
            half.with(1, Offload.OPTIMIZER, OffloadUpdate.HOST, StateForm.FULL).offloadFraction())
        .isEqualTo(1);
  }

  @Test
  void withoutStatesDiffersInThemAlone() {
    assertThat(WIDE.inBucketsOf(2).withoutStates())
        .hasToString(
            "data 4 × tensor 2 × pipeline 3 × context 2, expert 8, ZeRO 0, micro-batch 2 × 16,"
                + " recompute selective, loss fused, bf16, lora");
  }

  /** A pipeline alone, and one rank, hold every weight once. */
  @Test
  void bucketsAreExchangedWhereWeightsAreHeldTwice() {
    assertThat(ALONE.exchangesBuckets()).isFalse();
    assertThat(ALONE.with(1, 4, 1, 1).exchangesBuckets()).isFalse();
    assertThat(ALONE.with(2, 1, 1, 1).exchangesBuckets()).isTrue();
    assertThat(WIDE.exchangesBuckets()).isTrue();
  }

  @Test
  void aMethodIsFoundByItsNameOrTheNearestIsTold() {
    for (Method method : Method.values()) {
      assertThat(Method.named(method.toString())).isEqualTo(method);
    }
    assertThatThrownBy(() -> Method.named("qlorra"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("there is no method 'qlorra'");
  }
}
