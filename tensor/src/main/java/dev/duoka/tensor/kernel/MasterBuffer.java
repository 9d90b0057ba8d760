package dev.duoka.tensor.kernel;

import dev.duoka.ffi.torch.HostMemory;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A flat buffer of weights in full precision. Weights that are computed with in full precision are
 * their own masters, as are those in bf16 that are rounded by chance; those in fp16 have a copy in
 * fp32; those in bf16 a remainder of 16 bits ({@link MasterCode}), which may be elsewhere. Owns
 * what it keeps beside the weights, and borrows these. Launches asynchronously on a GPU, and waits
 * where the two parts are on different devices.
 */
public final class MasterBuffer implements AutoCloseable {
  private final Tensor values;
  private final @Nullable Tensor beside;

  /**
   * Takes over a buffer.
   *
   * @param values the weights as they are computed with, {@code [n]}
   * @param beside fp32 or int16 {@code [n]}; null where the weights are their own masters
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
   * A copy of a stretch in full precision, where the masters are kept.
   *
   * @return {@code [length]}; in bf16 where weights are rounded by chance
   */
  public Tensor read(long start, long length) {
    if (!isRemainder() || beside == null) {
      try (Tensor stretch = Views.narrow(whole(), 0, start, length)) {
        Tensor copy = Tensors.empty(stretch.dtype(), stretch.device(), length);
        Copies.into(copy, stretch);
        return copy;
      }
    }
    Device device = beside.device();
    Tensor copy = Tensors.empty(Dtype.FLOAT32, device, length);
    try (Tensor stretch = Views.narrow(values, 0, start, length);
        Tensor nearest = Copies.to(stretch, device);
        Tensor remainders = Views.narrow(beside, 0, start, length)) {
      if (device.isCuda()) {
        AdamWKernel.master("read_master", nearest, remainders, copy);
      } else if (!device.isMeta()) {
        join(nearest, remainders, copy);
      }
    }
    return copy;
  }

  private static void join(Tensor nearest, Tensor remainders, Tensor into) {
    Tiles high = new Tiles(nearest);
    Tiles low = new Tiles(remainders);
    Tiles wide = new Tiles(into);
    wide.each(
        (tile, length) -> {
          ShortBuffer upper = high.at(tile, length).asShortBuffer();
          ShortBuffer lower = low.at(tile, length).asShortBuffer();
          FloatBuffer whole = wide.at(tile, length).asFloatBuffer();
          for (int i = 0; i < length; i++) {
            whole.put(i, MasterCode.whole(upper.get(i), lower.get(i)));
          }
        });
  }

  /** Memory of a tensor on the host in parts, at which all cores work. */
  private static final class Tiles {
    private static final int LENGTH = 1 << 16;

    // The workers see memory alone: a tensor belongs to the thread that owns it.
    private final HostMemory memory;
    private final int bytes;
    private final long elements;

    Tiles(Tensor host) {
      memory = HostCopy.memoryOf(host);
      bytes = host.dtype().bytes();
      elements = host.elements();
    }

    interface Work {
      void on(int tile, int length);
    }

    void each(Work work) {
      IntStream.range(0, Math.toIntExact((elements + LENGTH - 1) / LENGTH))
          .parallel()
          .forEach(tile -> work.on(tile, (int) Math.min(LENGTH, elements - (long) tile * LENGTH)));
    }

    ByteBuffer at(int tile, int length) {
      return memory
          .asSlice((long) tile * LENGTH * bytes, (long) length * bytes)
          .asByteBuffer()
          .order(ByteOrder.nativeOrder());
    }
  }

  /**
   * Overwrites a stretch; weights that are computed with in bf16 with a remainder become the
   * nearest, those that have a copy stay as they are.
   *
   * @param wide {@code [length]}
   */
  public void write(long start, Tensor wide) {
    long length = wide.size(0);
    if (!isRemainder() || beside == null) {
      try (Tensor stretch = Views.narrow(whole(), 0, start, length)) {
        Copies.into(stretch, wide);
      }
      return;
    }
    Device device = beside.device();
    try (Tensor stretch = Views.narrow(values, 0, start, length);
        Tensor here = Copies.to(wide, device);
        Tensor nearest = Tensors.empty(values.dtype(), device, length);
        Tensor remainders = Views.narrow(beside, 0, start, length)) {
      if (device.isCuda()) {
        AdamWKernel.master("write_master", nearest, remainders, here);
      } else if (!device.isMeta()) {
        split(here, nearest, remainders);
      }
      Copies.into(stretch, nearest);
    }
  }

  private static void split(Tensor wide, Tensor nearest, Tensor remainders) {
    Tiles whole = new Tiles(wide);
    Tiles high = new Tiles(nearest);
    Tiles low = new Tiles(remainders);
    whole.each(
        (tile, length) -> {
          FloatBuffer from = whole.at(tile, length).asFloatBuffer();
          ShortBuffer upper = high.at(tile, length).asShortBuffer();
          ShortBuffer lower = low.at(tile, length).asShortBuffer();
          for (int i = 0; i < length; i++) {
            short near = MasterCode.nearest(from.get(i));
            upper.put(i, near);
            lower.put(i, MasterCode.remainder(from.get(i), near));
          }
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

  @Override
  public void close() {
    if (beside != null) {
      beside.close();
    }
  }
}
