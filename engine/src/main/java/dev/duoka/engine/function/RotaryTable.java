package dev.duoka.engine.function;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.HeadKernels;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/**
 * The rotations of rotary position embedding (Su et al., arXiv:2104.09864) for positions 0 to
 * {@code positions − 1}: cosines and sines, {@code [positions, width / 2]} each, fp32 (or fp64).
 *
 * <p>Two layouts of the rotated pairs are in use: neighbours {@code (2i, 2i + 1)} ({@code
 * interleaved}, DeepSeek-V2 and V3) and halves {@code (i, i + width / 2)} (Llama).
 */
public final class RotaryTable implements AutoCloseable {
  private final Tensor cosines;
  private final Tensor sines;
  private final boolean interleaved;

  /**
   * Computes the table on the host and places it on {@code device}. Angles are rounded to fp32 as
   * PyTorch implementations do.
   *
   * @param frequencies radians per position, one per pair
   * @param amplitude multiplies both; 1 except under YaRN
   */
  public RotaryTable(
      float[] frequencies,
      double amplitude,
      int positions,
      boolean interleaved,
      Dtype dtype,
      Device device) {
    int pairs = frequencies.length;
    double[] cosine = new double[positions * pairs];
    double[] sine = new double[positions * pairs];
    for (int position = 0; position < positions; position++) {
      for (int pair = 0; pair < pairs; pair++) {
        float angle = position * frequencies[pair];
        cosine[position * pairs + pair] = (float) Math.cos(angle) * amplitude;
        sine[position * pairs + pair] = (float) Math.sin(angle) * amplitude;
      }
    }
    this.interleaved = interleaved;
    try (Scope _ = Scope.open(MemoryOwner.CONSTANTS)) {
      Tensor cosineTable = HostCopy.fromDoubles(cosine, dtype, device, positions, pairs);
      sines = Scope.detach(HostCopy.fromDoubles(sine, dtype, device, positions, pairs));
      cosines = Scope.detach(cosineTable);
    }
  }

  /** How many positions the table has. */
  public long positions() {
    return cosines.size(0);
  }

  /** The table as kernels read it, or null where it is not fp32. */
  HeadKernels.@Nullable Rotation rotation(long firstPosition) {
    return cosines.dtype() == Dtype.FLOAT32
        ? new HeadKernels.Rotation(cosines, sines, interleaved, firstPosition)
        : null;
  }

  /**
   * Rotates {@code x [b, t, heads, width]}, where the sequence starts at {@code firstPosition};
   * returns a dense tensor of the same shape and dtype.
   */
  Tensor rotate(Tensor x, long firstPosition) {
    return rotate(x, firstPosition, 1);
  }

  /** The inverse rotation times the squared amplitude: the gradient of {@link #rotate}. */
  Tensor rotateBack(Tensor gradient, long firstPosition) {
    return rotate(gradient, firstPosition, -1);
  }

  private Tensor rotate(Tensor x, long firstPosition, int direction) {
    try (Scope scope = Scope.open()) {
      Tensor wide = Copies.cast(x, cosines.dtype());
      long pairs = cosines.size(1);
      long length = x.size(1);
      Tensor cos = factors(cosines, firstPosition, length);
      Tensor sin = factors(sines, firstPosition, length);
      Tensor paired =
          interleaved
              ? Views.reshape(Views.dense(wide), x.size(0), length, x.size(2), pairs, 2)
              : Views.reshape(Views.dense(wide), x.size(0), length, x.size(2), 2, pairs);
      int axis = interleaved ? 4 : 3;
      Tensor first = part(paired, axis, 0, x, pairs);
      Tensor second = part(paired, axis, 1, x, pairs);
      Tensor rotatedFirst =
          Elementwise.add(Elementwise.mul(first, cos), Elementwise.mul(second, sin), -direction);
      Tensor rotatedSecond =
          Elementwise.add(Elementwise.mul(second, cos), Elementwise.mul(first, sin), direction);
      Tensor joined =
          Copies.concatenate(
              axis, Views.unsqueeze(rotatedFirst, axis), Views.unsqueeze(rotatedSecond, axis));
      return scope.keep(Copies.cast(Views.reshape(joined, x.shape()), x.dtype()));
    }
  }

  private static Tensor part(Tensor paired, int axis, int index, Tensor like, long pairs) {
    Tensor narrow = Views.narrow(paired, axis, index, 1);
    return Views.reshape(Views.dense(narrow), like.size(0), like.size(1), like.size(2), pairs);
  }

  /** Rows of a table as {@code [1, t, 1, pairs]}. */
  private static Tensor factors(Tensor table, long firstPosition, long length) {
    return Views.reshape(
        Views.narrow(table, 0, firstPosition, length), 1, length, 1, table.size(1));
  }

  @Override
  public void close() {
    cosines.close();
    sines.close();
  }
}
