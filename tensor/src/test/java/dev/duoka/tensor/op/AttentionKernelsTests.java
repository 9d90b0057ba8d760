package dev.duoka.tensor.op;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** LibTorch's flash attention for the CPU against the definition; always on the CPU. */
class AttentionKernelsTests {
  private static final int HEADS = 3;
  private static final int WIDTH = 6;

  @ParameterizedTest
  @CsvSource({
    "FLOAT64, 9, 9, true",
    "FLOAT32, 33, 33, true",
    "FLOAT32, 5, 12, false",
    "FLOAT32, 1, 1, true",
    "BFLOAT16, 17, 17, true"
  })
  void flashForTheCpu(Dtype dtype, int queries, int keys, boolean causal) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Inputs inputs = new Inputs(81, dtype, Device.CPU);
      Tensor query = inputs.normal(1, HEADS, queries, WIDTH);
      Tensor key = inputs.normal(1, HEADS, keys, WIDTH);
      Tensor value = inputs.normal(1, HEADS, keys, WIDTH);
      double scale = 0.7;
      double[] q = HostCopy.doubles(query);
      double[] k = HostCopy.doubles(key);
      double[] v = HostCopy.doubles(value);
      double[] expected = new double[q.length];
      double[] logSumExp = new double[HEADS * queries];
      for (int row = 0; row < HEADS * queries; row++) {
        int head = row / queries;
        int seen = causal ? row % queries + 1 : keys;
        double[] weights = new double[seen];
        double sum = 0;
        for (int j = 0; j < seen; j++) {
          double score = 0;
          for (int i = 0; i < WIDTH; i++) {
            score += q[row * WIDTH + i] * k[(head * keys + j) * WIDTH + i];
          }
          weights[j] = Math.exp(scale * score);
          sum += weights[j];
        }
        for (int j = 0; j < seen; j++) {
          for (int i = 0; i < WIDTH; i++) {
            expected[row * WIDTH + i] += weights[j] / sum * v[(head * keys + j) * WIDTH + i];
          }
        }
        logSumExp[row] = Math.log(sum);
      }
      Tensor[] results = AttentionKernels.flashCpu(query, key, value, causal, scale);
      double tolerance = Numbers.tolerance(dtype);
      assertThat(results[0].shape()).containsExactly(1, HEADS, queries, WIDTH);
      Numbers.assertClose("seed 81", HostCopy.doubles(results[0]), expected, tolerance);
      Numbers.assertClose("seed 81", HostCopy.doubles(results[1]), logSumExp, tolerance);
    }
  }
}
