package dev.duoka.engine.function;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Determinism;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.TestDevice;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The attention that a run with the same bits each time uses on a GPU. */
@Tag("cuda")
class DeterministicAttentionTests {
  private static final double SCALE = 0.2;

  @AfterEach
  void forget() {
    Determinism.require(false);
  }

  @ParameterizedTest
  @CsvSource({
    "BFLOAT16, 2, 3, 300, 64, 64",
    "BFLOAT16, 1, 2, 256, 192, 128",
    "FLOAT16, 2, 2, 70, 32, 16"
  })
  void givesTheDefinitionAndTheSameBits(
      Dtype dtype, long batch, long heads, long length, long width, long valueWidth) {
    Determinism.require(true);
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(7, dtype, TestDevice.cuda());
      Tensor[] qkv = {
        inputs.normal(batch, heads, length, width),
        inputs.normal(batch, heads, length, width),
        inputs.normal(batch, heads, length, valueWidth)
      };
      Tensor gradient = inputs.normal(batch, heads, length, valueWidth);
      assertThat(Attention.kernel(qkv[0], qkv[1], qkv[2])).isEqualTo(AttentionKernel.FLASH_CUDA);
      double[][] first = run(AttentionKernel.FLASH_CUDA, gradient, qkv);
      for (int again = 0; again < 3; again++) {
        assertThat(run(AttentionKernel.FLASH_CUDA, gradient, qkv)).isDeepEqualTo(first);
      }
      double[][] truth = run(AttentionKernel.REFERENCE, wide(gradient)[0], wide(qkv));
      for (int i = 0; i < truth.length; i++) {
        Numbers.assertClose("result " + i, first[i], truth[i], 2e-2);
      }
    }
  }

  private static double[][] run(AttentionKernel kernel, Tensor gradient, Tensor... qkv) {
    Tensor[] results = kernel.forward(qkv[0], qkv[1], qkv[2], true, SCALE);
    Tensor[] gradients = kernel.backward(gradient, qkv[0], qkv[1], qkv[2], results, true, SCALE);
    return new double[][] {
      HostCopy.doubles(results[0]),
      HostCopy.doubles(gradients[0]),
      HostCopy.doubles(gradients[1]),
      HostCopy.doubles(gradients[2])
    };
  }

  private static Tensor[] wide(Tensor... tensors) {
    Tensor[] wide = new Tensor[tensors.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = Copies.cast(tensors[i], Dtype.FLOAT32);
    }
    return wide;
  }
}
