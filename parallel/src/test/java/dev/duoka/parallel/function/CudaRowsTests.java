package dev.duoka.parallel.function;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
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
    "1, 1, 2, 1, 1, 8, FLOAT32, 1",
    "300, 6, 64, 16, 16, 2048, BFLOAT16, 1.5",
    "300, 6, 64, 48, 16, 2048, BFLOAT16, 1",
    "1000, 8, 256, 0, 64, 40, FLOAT16, 1.02",
    "1000, 2, 8, 6, 2, 264, FLOAT32, 0.5",
    "20, 3, 600, 599, 1, 64, BFLOAT16, 9"
  })
  void moveAsTheReferenceDoes(
      int tokens,
      int perToken,
      int experts,
      int first,
      int here,
      int width,
      Dtype dtype,
      double factor) {
    Device cuda = TestDevice.cuda();
    long count = (long) tokens * perToken;
    long mean = Math.max(1, count * here / experts);
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        ExpertRoom onHost = new ExpertRoom(factor, Device.CPU);
        ExpertRoom onCard = new ExpertRoom(factor, cuda)) {
      long rows = Math.max(1, (long) (factor * mean));
      Tensor chosen = new Inputs(SEED, Dtype.FLOAT32, Device.CPU).indices(experts, count);
      RowsHere truth = ReferenceRows.of(chosen, perToken, first, here, rows, mean, onHost);
      Poison.freeMemory(cuda);
      RowsHere ours =
          KernelRows.of(
              Copies.to(chosen, cuda), experts, perToken, first, here, rows, mean, dtype, onCard);
      int[] ends = HostCopy.ints(truth.ends());
      assertThat(HostCopy.ints(ours.ends())).isEqualTo(ends);
      int there = ends[here - 1];

      Tensor source = new Inputs(SEED, dtype, Device.CPU).coarse(tokens, width);
      Tensor spread = ours.spread(Copies.to(source, cuda));
      assertThat(head(spread, there)).isEqualTo(head(truth.spread(padded(source)), there));
      Tensor sorted = new Inputs(SEED + 1, dtype, Device.CPU).coarse(rows, width);
      // The reference rounds each addition.
      assertThat(HostCopy.doubles(ours.gather(Copies.to(sorted, cuda))))
          .usingComparatorWithPrecision(dtype == Dtype.FLOAT32 ? 0.0 : 0.25)
          .containsExactly(HostCopy.doubles(Views.dense(truth.gather(sorted))));

      Tensor numbers = new Inputs(SEED + 2, Dtype.FLOAT32, Device.CPU).coarse(count, 1);
      assertThat(head(ours.sort(Copies.to(numbers, cuda)), there))
          .isEqualTo(head(truth.sort(padded(numbers)), there));
      Tensor ofRows = new Inputs(SEED + 3, Dtype.FLOAT32, Device.CPU).coarse(rows, 1);
      assertThat(HostCopy.doubles(ours.unsort(Copies.to(ofRows, cuda))))
          .usingComparatorWithPrecision(0.0)
          .containsExactly(HostCopy.doubles(Views.dense(truth.unsort(ofRows))));
      assertThat(onCard.takeFullest()).isEqualTo(onHost.takeFullest());
      assertThat(onCard.takeFullest()).as("taken").isZero();
    }
  }

  /** With the row of zeros that the reference reads for nobody. */
  private static Tensor padded(Tensor rows) {
    Tensor zero = Tensors.zeros(rows.dtype(), rows.device(), 1, rows.size(1));
    return Copies.concatenate(0, rows, zero);
  }

  private static double[] head(Tensor rows, int count) {
    return count == 0
        ? new double[0]
        : HostCopy.doubles(Views.dense(Views.narrow(rows, 0, 0, count)));
  }
}
