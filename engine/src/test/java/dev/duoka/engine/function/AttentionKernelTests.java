package dev.duoka.engine.function;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The fused kernel for the CPU against attention written out, forward and backward. */
class AttentionKernelTests {
  private static final double SCALE = 0.4;

  @ParameterizedTest
  @CsvSource({
    "FLOAT64, 2, 3, 7, 4, 4, 1e-11",
    "FLOAT32, 1, 2, 33, 6, 6, 2e-5",
    "FLOAT32, 2, 2, 150, 24, 16, 2e-5",
    "FLOAT64, 1, 1, 2, 5, 1, 1e-11",
    "BFLOAT16, 1, 2, 40, 8, 6, 2e-2"
  })
  void flashAgreesWithTheDefinition(
      Dtype dtype, long batch, long heads, long length, long width, long value, double tolerance) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(111, dtype, Device.CPU);
      Tensor[] qkv = {
        inputs.normal(batch, heads, length, width),
        inputs.normal(batch, heads, length, width),
        inputs.normal(batch, heads, length, value)
      };
      Tensor gradient = inputs.normal(batch, heads, length, value);
      Tensor[][] gradients = new Tensor[2][];
      Tensor[] outputs = new Tensor[2];
      AttentionKernel[] kernels = {AttentionKernel.FLASH_CPU, AttentionKernel.REFERENCE};
      for (int i = 0; i < 2; i++) {
        Tensor[] results = kernels[i].forward(qkv[0], qkv[1], qkv[2], true, SCALE);
        assertThat(results).hasSize(kernels[i].results());
        outputs[i] = results[0];
        gradients[i] = kernels[i].backward(gradient, qkv[0], qkv[1], qkv[2], results, true, SCALE);
      }
      close("output", outputs[0], outputs[1], tolerance);
      for (int i = 0; i < 3; i++) {
        close("gradient " + i, gradients[0][i], gradients[1][i], tolerance);
      }
    }
  }

  private static void close(String what, Tensor actual, Tensor expected, double tolerance) {
    assertThat(actual.shape()).isEqualTo(expected.shape());
    Numbers.assertClose(
        what + ", seed 111", HostCopy.doubles(actual), HostCopy.doubles(expected), tolerance);
  }

  /** With equal scores each query gets the mean of the values that it may see. */
  @ParameterizedTest
  @CsvSource({"FLOAT64, 9, 9", "FLOAT32, 4, 9", "BFLOAT16, 1, 3"})
  void theMaskHidesWhatComesLater(Dtype dtype, int queries, int keys) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor query = HostCopy.fromFloats(new float[queries], dtype, Device.CPU, 1, 1, queries, 1);
      Tensor key = HostCopy.fromFloats(new float[keys], dtype, Device.CPU, 1, 1, keys, 1);
      float[] numbers = new float[keys];
      double[] expected = new double[queries];
      for (int i = 0; i < keys; i++) {
        numbers[i] = i;
      }
      for (int i = 0; i < queries; i++) {
        expected[i] = (i + keys - queries) / 2.0;
      }
      Tensor value = HostCopy.fromFloats(numbers, dtype, Device.CPU, 1, 1, keys, 1);
      Tensor output = ReferenceAttention.forward(query, key, value, true, SCALE)[0];
      Numbers.assertClose("means", HostCopy.doubles(output), expected, 1e-6);
    }
  }

  /** The last queries of a sequence see what they see in the whole sequence. */
  @ParameterizedTest
  @CsvSource({"12, 5", "12, 1", "150, 20"})
  void queriesAfterKeptKeys(int length, int last) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(112, Dtype.FLOAT64, Device.CPU);
      Tensor query = inputs.normal(1, 2, length, 4);
      Tensor key = inputs.normal(1, 2, length, 4);
      Tensor value = inputs.normal(1, 2, length, 4);
      Tensor whole = ReferenceAttention.forward(query, key, value, true, SCALE)[0];
      Tensor tail = Views.narrow(query, 2, length - last, last);
      Tensor part = attend(tail, key, value);
      // The function's output is [b·t, heads·width], the kernel's [b, heads, t, width].
      Tensor expected = Views.transpose(Views.narrow(whole, 2, length - last, last), 1, 2);
      Numbers.assertClose("seed 112", HostCopy.doubles(part), HostCopy.doubles(expected), 1e-12);
    }
  }

  private static Tensor attend(Tensor query, Tensor key, Tensor value) {
    Tape tape = Tape.inference();
    return tape.apply(
            new Attention(SCALE),
            Variable.constant(query),
            Variable.constant(key),
            Variable.constant(value))
        .value();
  }

  @Test
  void theKernelFollowsDeviceAndLength() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs cpu = new Inputs(113, Dtype.FLOAT32, Device.CPU);
      Tensor shortOne = cpu.normal(1, 1, Attention.SHORT_SEQUENCE, 2);
      Tensor longOne = cpu.normal(1, 1, Attention.SHORT_SEQUENCE + 1, 2);
      assertThat(Attention.kernel(shortOne, shortOne, shortOne))
          .isEqualTo(AttentionKernel.REFERENCE);
      assertThat(Attention.kernel(longOne, longOne, longOne)).isEqualTo(AttentionKernel.FLASH_CPU);
      assertThat(Attention.kernel(Views.narrow(longOne, 2, 0, 1), longOne, longOne))
          .isEqualTo(AttentionKernel.REFERENCE);
      assertThat(Attention.kernel(shortOne, longOne, longOne)).isEqualTo(AttentionKernel.REFERENCE);
      Inputs dry = new Inputs(113, Dtype.FLOAT32, Device.META);
      Tensor shortDry = dry.normal(1, 1, Attention.SHORT_SEQUENCE, 2);
      Tensor longDry = dry.normal(1, 1, Attention.SHORT_SEQUENCE + 1, 2);
      assertThat(Attention.kernel(shortDry, shortDry, shortDry))
          .as("books what the CPU books")
          .isEqualTo(AttentionKernel.REFERENCE);
      assertThat(Attention.kernel(longDry, longDry, longDry))
          .isEqualTo(AttentionKernel.SHAPES_ONLY);
    }
  }
}
