package dev.duoka.tensor.kernel;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
    short[] high = shorts(nearest);
    short[] low = shorts(remainders);
    float[] whole = new float[high.length];
    for (int i = 0; i < whole.length; i++) {
      whole[i] = MasterCode.whole(high[i], low[i]);
    }
    memory(into).asFloatBuffer().put(whole);
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
        split(HostCopy.floats(here), nearest, remainders);
      }
      Copies.into(stretch, nearest);
    }
  }

  private static void split(float[] wide, Tensor nearest, Tensor remainders) {
    short[] high = new short[wide.length];
    short[] low = new short[wide.length];
    for (int i = 0; i < wide.length; i++) {
      high[i] = MasterCode.nearest(wide[i]);
      low[i] = MasterCode.remainder(wide[i], high[i]);
    }
    memory(nearest).asShortBuffer().put(high);
    memory(remainders).asShortBuffer().put(low);
  }

  private static short[] shorts(Tensor host) {
    short[] numbers = new short[Math.toIntExact(host.elements())];
    memory(host).asShortBuffer().get(numbers);
    return numbers;
  }

  private static ByteBuffer memory(Tensor host) {
    return HostCopy.memoryOf(host).asByteBuffer().order(ByteOrder.nativeOrder());
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
