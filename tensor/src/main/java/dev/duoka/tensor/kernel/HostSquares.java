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
  private static final int TILE = 1 << 14;

  /** Sums side by side, so that none waits for the one before it. */
  private static final int LANES = 8;

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
    double[] lanes = new double[LANES];
    for (int i = 0; i < length; i++) {
      double value =
          switch (dtype) {
            case FLOAT64 -> bytes.getDouble(i * size);
            case FLOAT32 -> bytes.getFloat(i * size);
            default -> MomentCode.bf16(bytes.getShort(i * size));
          };
      lanes[i % LANES] += value * value;
    }
    double sum = 0;
    for (double lane : lanes) {
      sum += lane;
    }
    return sum;
  }
}
