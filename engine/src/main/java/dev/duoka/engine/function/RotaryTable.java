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
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Tensors;
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
    this.interleaved = interleaved;
    if (device.isMeta()) {
      try (Scope _ = Scope.open(MemoryOwner.CONSTANTS)) {
        cosines = Scope.detach(Tensors.empty(dtype, device, positions, pairs));
        sines = Scope.detach(Tensors.empty(dtype, device, positions, pairs));
      }
      return;
    }
    double[] cosine = new double[positions * pairs];
    double[] sine = new double[positions * pairs];
    for (int position = 0; position < positions; position++) {
      for (int pair = 0; pair < pairs; pair++) {
        float angle = position * frequencies[pair];
        cosine[position * pairs + pair] = (float) Math.cos(angle) * amplitude;
        sine[position * pairs + pair] = (float) Math.sin(angle) * amplitude;
      }
    }
    try (Scope _ = Scope.open(MemoryOwner.CONSTANTS)) {
      Tensor cosineTable = HostCopy.fromDoubles(cosine, dtype, device, positions, pairs);
      sines = Scope.detach(HostCopy.fromDoubles(sine, dtype, device, positions, pairs));
      cosines = Scope.detach(cosineTable);
    }
  }

  private RotaryTable(Tensor cosines, Tensor sines, boolean interleaved) {
    this.cosines = cosines;
    this.sines = sines;
    this.interleaved = interleaved;
  }

  /** A table of some of these positions, in their order; the caller closes it. */
  public RotaryTable at(int[] positions) {
    long[] rows = new long[positions.length];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = positions[i];
    }
    try (Scope _ = Scope.open(MemoryOwner.CONSTANTS)) {
      Tensor index = HostCopy.fromLongs(rows, cosines.device(), rows.length);
      Tensor cosinesThere = Indexing.rows(cosines, index);
      Tensor sinesThere = Indexing.rows(sines, index);
      return new RotaryTable(Scope.detach(cosinesThere), Scope.detach(sinesThere), interleaved);
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
    Tensor result = Tensors.empty(x.dtype(), x.device(), x.shape());
    rotateInto(result, x, firstPosition, 1);
    return result;
  }

  /** The inverse rotation times the squared amplitude: the gradient of {@link #rotate}. */
  Tensor rotateBack(Tensor gradient, long firstPosition) {
    Tensor result = Tensors.empty(gradient.dtype(), gradient.device(), gradient.shape());
    rotateInto(result, gradient, firstPosition, -1);
    return result;
  }

  /**
   * As {@link #rotate} for direction 1 and {@link #rotateBack} for −1, into a tensor of any layout
   * that shares no memory with {@code x}.
   */
  void rotateInto(Tensor target, Tensor x, long firstPosition, int direction) {
    Dtype wide = cosines.dtype();
    try (Scope _ = Scope.open()) {
      Tensor rotated = target.dtype() == wide ? target : Tensors.empty(wide, x.device(), x.shape());
      Tensor from = paired(Copies.cast(x, wide));
      Tensor to = paired(rotated);
      Tensor cos = factors(cosines, firstPosition, x.size(1));
      Tensor sin = factors(sines, firstPosition, x.size(1));
      for (int half = 0; half < 2; half++) {
        // first · cos − second · sin, and second · cos + first · sin
        Tensor part = half(to, half);
        Elementwise.mulInto(part, half(from, half), cos);
        Elementwise.addProductInPlace(
            part, half(from, 1 - half), sin, half == 0 ? -direction : direction);
      }
      if (target.dtype() != wide) {
        Copies.into(target, rotated);
      }
    }
  }

  /** The last dimension as {@code [pairs, 2]} or {@code [2, pairs]}. */
  private Tensor paired(Tensor x) {
    return Views.unflatten(x, 3, interleaved ? cosines.size(1) : 2);
  }

  private Tensor half(Tensor paired, int index) {
    return Views.narrow(paired, interleaved ? 4 : 3, index, 1);
  }

  /** Rows of a table, shaped as a {@link #half}. */
  private Tensor factors(Tensor table, long firstPosition, long length) {
    Tensor rows = Views.narrow(table, 0, firstPosition, length);
    long pairs = table.size(1);
    return interleaved
        ? Views.reshape(rows, 1, length, 1, pairs, 1)
        : Views.reshape(rows, 1, length, 1, 1, pairs);
  }

  @Override
  public void close() {
    cosines.close();
    sines.close();
  }
}
