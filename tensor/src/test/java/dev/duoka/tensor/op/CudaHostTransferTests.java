package dev.duoka.tensor.op;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.testing.TestDevice;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Copies to page-locked memory beside what a GPU does. */
@Tag("cuda")
class CudaHostTransferTests {
  private static final int PRODUCTS = 300;

  private static float[] random(int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextInt(-128, 128); // exact in bf16
    }
    return values;
  }

  /** Whole rows, parts of rows and other dtypes, over the ends of pieces, to the bit. */
  @Test
  void rowsArriveWhereverPiecesEnd() {
    Device device = TestDevice.cuda();
    int columns = 1031;
    int rows = (int) (2.3 * PageLockedTensor.PIECE / 4 / columns);
    float[] expected = random(rows * columns, 5);
    try (Scope _ = Scope.open();
        HostTransfer transfer = new HostTransfer(device);
        PageLockedTensor locked =
            new PageLockedTensor(Dtype.FLOAT32, (long) rows * columns, MemoryOwner.TEMPORARIES)) {
      Tensor here = HostCopy.fromFloats(expected, Dtype.FLOAT32, device, rows, columns);
      locked.locks(device).forEach(Runnable::run);
      Tensor there = Views.reshape(locked.values(), rows, columns);
      int half = columns / 2;
      int third = rows / 3;
      transfer
          .rowsToHost(
              copy -> {
                copy.into(Views.narrow(there, 0, 0, third), Views.narrow(here, 0, 0, third));
                Tensor rest = Views.narrow(there, 0, third, rows - third);
                Tensor from = Views.narrow(here, 0, third, rows - third);
                copy.into(Views.narrow(rest, 1, 0, half), Views.narrow(from, 1, 0, half));
                Tensor narrow =
                    Copies.cast(
                        Copies.dense(Views.narrow(from, 1, half, columns - half)), Dtype.BFLOAT16);
                copy.into(Views.narrow(rest, 1, half, columns - half), narrow);
              })
          .await();
      assertThat(Arrays.equals(HostCopy.floats(there), expected)).isTrue();
    }
  }

  /** What is launched behind the copy, and may not overtake it, finds the launcher free. */
  @Test
  void nobodyWaitsForACopyThatWaits() {
    Device device = TestDevice.cuda();
    float[] expected = random(1 << 20, 7);
    try (Scope _ = Scope.open();
        HostTransfer transfer = new HostTransfer(device);
        PageLockedTensor locked =
            new PageLockedTensor(Dtype.FLOAT32, expected.length, MemoryOwner.TEMPORARIES)) {
      locked.locks(device).forEach(Runnable::run);
      Tensor here = HostCopy.fromFloats(expected, Dtype.FLOAT32, device, 1 << 10, 1 << 10);
      Tensor there = Views.reshape(locked.values(), 1 << 10, 1 << 10);
      Tensor busy = Tensors.full(0.01, Dtype.BFLOAT16, device, 8192, 8192);
      Products.mm(busy, busy);
      HostCopy.floats(here); // all is there
      for (int i = 0; i < PRODUCTS; i++) {
        try (Scope _ = Scope.open()) {
          Products.mm(busy, busy);
        }
      }
      HostTransfer.Mark copied = transfer.rowsToHost(copy -> copy.into(there, here));
      copied.holdBack();
      Tensors.zero(here);
      assertThat(copied.isReached()).as("the products have ended").isFalse();
      copied.await();
      assertThat(Arrays.equals(HostCopy.floats(there), expected)).isTrue();
      assertThat(HostCopy.floats(here)).containsOnly(0);
    }
  }
}
