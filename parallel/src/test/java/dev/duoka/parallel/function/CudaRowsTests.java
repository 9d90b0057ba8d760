package dev.duoka.parallel.function;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Poison;
import dev.duoka.tensor.testing.TestDevice;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rows for some of the experts by our kernels, against those by LibTorch on the CPU. */
@Tag("cuda")
final class CudaRowsTests {
  private static final long SEED = 11;

  @ParameterizedTest
  @CsvSource({
    "1, 1, 2, 1, 1, 8, FLOAT32",
    "300, 6, 64, 16, 16, 2048, BFLOAT16",
    "300, 6, 64, 48, 16, 2048, BFLOAT16",
    "1000, 8, 256, 0, 64, 40, FLOAT16",
    "1000, 2, 8, 6, 2, 264, FLOAT32",
    "20, 3, 600, 599, 1, 64, BFLOAT16"
  })
  void moveAsTheReferenceDoes(
      int tokens, int perToken, int experts, int first, int here, int width, Dtype dtype) {
    Device cuda = TestDevice.cuda();
    long count = (long) tokens * perToken;
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        RowCounts counts = new RowCounts()) {
      Tensor chosen = new Inputs(SEED, Dtype.FLOAT32, Device.CPU).indices(experts, count);
      RowsHere truth = ReferenceRows.of(chosen, perToken, first, here);
      Poison.freeMemory(cuda);
      RowsHere ours =
          KernelRows.of(Copies.to(chosen, cuda), experts, perToken, first, here, dtype, counts);
      int[] ends = HostCopy.ints(truth.ends());
      assertThat(HostCopy.ints(ours.ends())).isEqualTo(ends);
      long rows = ends[here - 1];

      Tensor source = new Inputs(SEED, dtype, Device.CPU).coarse(tokens, width);
      Tensor spread = ours.spread(Copies.to(source, cuda));
      assertThat(HostCopy.doubles(spread)).isEqualTo(HostCopy.doubles(truth.spread(source)));
      Tensor sorted = new Inputs(SEED + 1, dtype, Device.CPU).coarse(rows, width);
      // The reference rounds each addition.
      assertThat(farthest(ours.gather(Copies.to(sorted, cuda)), truth.gather(sorted)))
          .isLessThanOrEqualTo(dtype == Dtype.FLOAT32 ? 0 : 0.25);

      Tensor numbers = new Inputs(SEED + 2, Dtype.FLOAT32, Device.CPU).coarse(count, 1);
      assertThat(HostCopy.doubles(ours.sort(Copies.to(numbers, cuda))))
          .isEqualTo(HostCopy.doubles(truth.sort(numbers)));
      Tensor ofRows = new Inputs(SEED + 3, Dtype.FLOAT32, Device.CPU).coarse(rows, 1);
      assertThat(farthest(ours.unsort(Copies.to(ofRows, cuda)), truth.unsort(ofRows))).isZero();
    }
  }

  /** The largest difference; infinite where a number is not one. */
  private static double farthest(Tensor one, Tensor other) {
    double[] numbers = HostCopy.doubles(one);
    double[] others = HostCopy.doubles(Views.dense(other));
    assertThat(numbers).hasSameSizeAs(others);
    double most = 0;
    for (int i = 0; i < numbers.length; i++) {
      double difference = Math.abs(numbers[i] - others[i]);
      most = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(most, difference);
    }
    return most;
  }
}
