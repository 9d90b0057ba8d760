package dev.duoka.engine.precision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.layout.Precision;
import dev.duoka.tensor.Dtype;
import org.junit.jupiter.api.Test;

/** What a precision means for tensors. */
final class PrecisionPolicyTests {
  @Test
  void weightsHaveTheDtypeOfTheirPrecision() {
    assertThat(new PrecisionPolicy(Precision.FP32).computeDtype()).isEqualTo(Dtype.FLOAT32);
    assertThat(new PrecisionPolicy(Precision.BF16).computeDtype()).isEqualTo(Dtype.BFLOAT16);
    assertThat(new PrecisionPolicy(Precision.FP16).computeDtype()).isEqualTo(Dtype.FLOAT16);
    assertThat(new PrecisionPolicy(Precision.FP8).computeDtype()).isEqualTo(Dtype.BFLOAT16);
  }

  @Test
  void aPrecisionThatCanOnlyBePlannedIsRefused() {
    assertThatThrownBy(() -> new PrecisionPolicy(Precision.TF32))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("does not compute in tf32");
  }
}
