package dev.duoka.tensor.kernel;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A flat buffer of weights in full precision. Weights that are computed with in full precision are
 * their own masters, as are those in bf16 that are rounded by chance; those in fp16 have a copy in
 * fp32; those in bf16 a remainder of 16 bits ({@link MasterCode}), which may be on another device.
 * Owns what it keeps beside the weights, and borrows these. Launches asynchronously on a GPU; waits
 * where the two parts are on different devices, and where our kernels are off, since the host joins
 * and divides them then.
 */
public final class MasterBuffer implements AutoCloseable {
  /** Numbers that a core works on at once. */
  private static final int TILE = 1 << 14;

  private final Tensor values;
  private final @Nullable Tensor beside;

  /**
   * Takes over a buffer.
   *
   * @param values the weights as they are computed with, {@code [n]}
   * @param beside fp32, or int16 beside bf16, {@code [n]}; null where the weights are their own
   *     masters
   */
  public MasterBuffer(Tensor values, @Nullable Tensor beside) {
    this.values = values;
    this.beside = beside;
  }

  /** What is kept beside the weights. */
  public @Nullable Tensor beside() {
    return beside;
  }

  /** Whether it is a copy, which has to be copied to the weights after an update. */
  public boolean isCopy() {
    return beside != null && !isRemainder();
  }

  /** Whether weights and remainders together are the masters. */
  public boolean isRemainder() {
    return beside != null && beside.dtype() == Dtype.INT16;
  }

  /**
   * The tensor that holds the masters as they are, {@code [n]}.
   *
   * @throws IllegalStateException where there is none ({@link #isRemainder})
   */
  public Tensor whole() {
    if (isRemainder()) {
      throw new IllegalStateException("these master weights are no tensor by themselves");
    }
    return beside == null ? values : beside;
  }

  /** As {@link #read(long, long)}, of all. */
  public Tensor read() {
    return read(0, values.size(0));
  }

  /**
   * A copy of a stretch, where the masters are kept.
   *
   * @return {@code [length]}: fp32, or of the dtype of weights that are their own masters
   */
  public Tensor read(long start, long length) {
    if (beside == null || !isRemainder()) {
      try (Tensor stretch = Views.narrow(whole(), 0, start, length)) {
        Tensor copy = Tensors.empty(stretch.dtype(), stretch.device(), length);
        Copies.into(copy, stretch);
        return copy;
      }
    }
    Device at = worksAt(beside.device());
    Tensor joined = Tensors.empty(Dtype.FLOAT32, at, length);
    try (Tensor ofValues = Views.narrow(values, 0, start, length);
        Tensor ofBeside = Views.narrow(beside, 0, start, length);
        Tensor nearest = Copies.to(ofValues, at);
        Tensor remainders = Copies.to(ofBeside, at)) {
      if (at.isCuda()) {
        AdamWKernel.master("read_master", nearest, remainders, joined);
      } else if (!at.isMeta()) {
        join(nearest, remainders, joined);
      }
    }
    if (at.equals(beside.device())) {
      return joined;
    }
    try (joined) {
      return Copies.to(joined, beside.device());
    }
  }

  /**
   * Overwrites a stretch; weights in bf16 that have remainders become the nearest, those that have
   * a copy stay as they are. What else was made of the weights is not told.
   *
   * @param wide {@code [length]}, dense; fp32 for remainders
   */
  public void write(long start, Tensor wide) {
    long length = wide.size(0);
    if (beside == null || !isRemainder()) {
      try (Tensor stretch = Views.narrow(whole(), 0, start, length)) {
        Copies.into(stretch, wide);
      }
      return;
    }
    if (wide.dtype() != Dtype.FLOAT32 || !wide.isContiguous()) {
      throw new IllegalArgumentException(
          "master weights from " + wide + ", which is no dense fp32");
    }
    Device at = worksAt(beside.device());
    try (Tensor ofValues = Views.narrow(values, 0, start, length);
        Tensor ofBeside = Views.narrow(beside, 0, start, length);
        Tensor here = Copies.to(wide, at);
        Tensor nearest = Tensors.empty(values.dtype(), at, length);
        Tensor remainders = Tensors.empty(Dtype.INT16, at, length)) {
      if (at.isCuda()) {
        AdamWKernel.master("write_master", nearest, remainders, here);
      } else if (!at.isMeta()) {
        split(here, nearest, remainders);
      }
      Copies.into(ofValues, nearest);
      Copies.into(ofBeside, remainders);
    }
  }

  private static Device worksAt(Device home) {
    return home.isCuda() && !KernelFamily.serve(Dtype.BFLOAT16, home) ? Device.CPU : home;
  }

  private static void join(Tensor nearest, Tensor remainders, Tensor into) {
    HostNumbers high = HostNumbers.of(nearest);
    HostNumbers low = HostNumbers.of(remainders);
    HostNumbers whole = HostNumbers.of(into);
    eachTile(
        into.elements(),
        (start, length) -> {
          Tile tile = new Tile();
          high.stretch(start, length).asShortBuffer().get(tile.nearest, 0, length);
          low.stretch(start, length).asShortBuffer().get(tile.remainders, 0, length);
          MasterCode.join(tile.nearest, tile.remainders, tile.bits, tile.whole, length);
          whole.stretch(start, length).asFloatBuffer().put(tile.whole, 0, length);
        });
  }

  private static void split(Tensor wide, Tensor nearest, Tensor remainders) {
    HostNumbers whole = HostNumbers.of(wide);
    HostNumbers high = HostNumbers.of(nearest);
    HostNumbers low = HostNumbers.of(remainders);
    eachTile(
        wide.elements(),
        (start, length) -> {
          Tile tile = new Tile();
          whole.stretch(start, length).asFloatBuffer().get(tile.whole, 0, length);
          MasterCode.split(tile.whole, tile.bits, tile.nearest, tile.remainders, length);
          high.stretch(start, length).asShortBuffer().put(tile.nearest, 0, length);
          low.stretch(start, length).asShortBuffer().put(tile.remainders, 0, length);
        });
  }

  /** What a core works on. */
  private static final class Tile {
    final short[] nearest = new short[TILE];
    final short[] remainders = new short[TILE];
    final int[] bits = new int[TILE];
    final float[] whole = new float[TILE];
  }

  private interface TileWork {
    void on(long start, int length);
  }

  private static void eachTile(long elements, TileWork work) {
    IntStream.range(0, Math.toIntExact((elements + TILE - 1) / TILE))
        .parallel()
        .forEach(
            tile -> {
              long start = (long) tile * TILE;
              work.on(start, (int) Math.min(TILE, elements - start));
            });
  }

  /** Copies the masters to the weights, where they are a copy. */
  public void publish() {
    if (beside != null && isCopy()) {
      Copies.into(values, beside);
    }
  }

  /** Takes the weights for the masters; the opposite of {@link #publish}. */
  public void adoptValues() {
    if (beside == null) {
      return;
    }
    if (isRemainder()) {
      Tensors.fill(beside, 0);
    } else {
      Copies.into(beside, values);
    }
  }

  /** The least bytes that an update moves of a weight: read and written again. */
  public int bytesOfUpdate() {
    int ofValues = values.dtype().bytes();
    if (beside == null) {
      return 2 * ofValues;
    }
    // Weights that have a copy are written alone.
    return isRemainder() ? 2 * ofValues + 2 * 2 : ofValues + 2 * 4;
  }

  @Override
  public void close() {
    if (beside != null) {
      beside.close();
    }
  }
}
