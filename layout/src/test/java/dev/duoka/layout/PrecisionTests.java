package dev.duoka.layout;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What a run needs for each precision. */
final class PrecisionTests {
  @Test
  void precisionsSayWhatTheyNeed() {
    assertThat(Precision.FP32.hasMasterWeights()).isFalse();
    assertThat(Precision.TF32.hasMasterWeights()).isFalse();
    assertThat(Precision.BF16.hasMasterWeights()).isTrue();
    assertThat(Precision.FP16.hasMasterWeights()).isTrue();
    assertThat(Precision.FP8.hasMasterWeights()).isTrue();
    assertThat(Precision.FP16.scalesLoss()).isTrue();
    assertThat(Precision.BF16.scalesLoss()).isFalse();
    assertThat(Precision.FP32.defaultClipNorm()).isEqualTo(1.0);
    assertThat(Precision.BF16.defaultClipNorm()).isEqualTo(1.0);
    assertThat(Precision.FP16.defaultClipNorm()).isEqualTo(0.5);
  }

  @Test
  void weightsAreOfTwoBytesWhereMasterWeightsStandBesideThem() {
    assertThat(Precision.TF32.bytes()).isEqualTo(4);
    assertThat(Precision.FP8.bytes()).isEqualTo(2);
  }
}
