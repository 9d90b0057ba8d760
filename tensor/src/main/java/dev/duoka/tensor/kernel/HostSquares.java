package dev.duoka.tensor.kernel;

import dev.duoka.ffi.torch.HostMemory;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.stream.IntStream;

/**
 * {@link SquaresKernel} for buffers in host memory: sums of squares in fp64, on all of the
 * machine's cores, always in the same order.
 */
public final class HostSquares {
  /** Elements that a core sums at once. */
  private static final int TILE = 1 << 12;

  private final HostMemory memory;
  private final Dtype dtype;

  /**
   * For one buffer.
   *
   * @param buffer fp64, fp32 or bf16 {@code [n]}, on the CPU
   */
  public HostSquares(Tensor buffer) {
    memory = HostCopy.memoryOf(buffer);
    dtype = buffer.dtype();
    if (dtype != Dtype.FLOAT64 && dtype != Dtype.FLOAT32 && dtype != Dtype.BFLOAT16) {
      throw new IllegalArgumentException("no sums of squares of " + dtype);
    }
  }

  /** The sum of a stretch. */
  public double of(long start, long length) {
    int tiles = Math.toIntExact((length + TILE - 1) / TILE);
    double[] sums = new double[tiles];
    IntStream range = IntStream.range(0, tiles);
    (tiles > 1 ? range.parallel() : range)
        .forEach(
            tile -> {
              long first = (long) tile * TILE;
              sums[tile] = tile(start + first, (int) Math.min(TILE, length - first));
            });
    double sum = 0;
    for (double part : sums) {
      sum += part;
    }
    return sum;
  }

  private double tile(long start, int length) {
    int size = dtype.bytes();
    ByteBuffer bytes =
        memory
            .asSlice(start * size, (long) length * size)
            .asByteBuffer()
            .order(ByteOrder.nativeOrder());
    double[] values = new double[length];
    switch (dtype) {
      case FLOAT64 -> bytes.asDoubleBuffer().get(values);
      case FLOAT32 -> widen(bytes, values);
      default -> widenHalves(bytes, values);
    }
    return sum(values);
  }

  private static void widen(ByteBuffer bytes, double[] values) {
    float[] narrow = new float[values.length];
    bytes.asFloatBuffer().get(narrow);
    for (int i = 0; i < narrow.length; i++) {
      values[i] = narrow[i];
    }
  }

  private static void widenHalves(ByteBuffer bytes, double[] values) {
    short[] narrow = new short[values.length];
    bytes.asShortBuffer().get(narrow);
    for (int i = 0; i < narrow.length; i++) {
      values[i] = MomentCode.bf16(narrow[i]);
    }
  }

  /** Four sums side by side, so that none waits for the one before it. */
  private static double sum(double[] values) {
    double sum0 = 0;
    double sum1 = 0;
    double sum2 = 0;
    double sum3 = 0;
    int whole = values.length - values.length % 4;
    for (int i = 0; i < whole; i += 4) {
      sum0 += values[i] * values[i];
      sum1 += values[i + 1] * values[i + 1];
      sum2 += values[i + 2] * values[i + 2];
      sum3 += values[i + 3] * values[i + 3];
    }
    for (int i = whole; i < values.length; i++) {
      sum0 += values[i] * values[i];
    }
    return sum0 + sum1 + (sum2 + sum3);
  }
}
