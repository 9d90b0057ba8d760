package dev.duoka.tensor.kernel;

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
 * A flat buffer of moments in fp32 or fp64, in bf16, or in 8 bits with scales. Owns its tensors.
 * Launches asynchronously on a GPU.
 */
public final class MomentBuffer implements AutoCloseable {
  private static final int BLOCK = AdamWKernel.BLOCK;

  private final Tensor values;
  private final @Nullable Tensor scales;
  private final boolean second;

  /**
   * Takes over buffers, which hold zeros.
   *
   * @param values {@code [n]}
   * @param scales {@code [n / 128]} where {@code values} are 8 bits
   * @param second whether these are second moments, which are never negative
   */
  public MomentBuffer(Tensor values, @Nullable Tensor scales, boolean second) {
    this.values = values;
    this.scales = scales;
    this.second = second;
  }

  /** The numbers as they are kept. */
  public Tensor values() {
    return values;
  }

  /** What the blocks of numbers are relative to. */
  public @Nullable Tensor scales() {
    return scales;
  }

  /** Whether the numbers are kept as they are computed with. */
  public boolean isWide() {
    return values.dtype() == Dtype.FLOAT32 || values.dtype() == Dtype.FLOAT64;
  }

  /**
   * A copy of a stretch in fp32, or in the dtype of wider moments.
   *
   * @param start a multiple of 128
   * @return {@code [length]}
   */
  public Tensor read(long start, long length) {
    if (scales == null) {
      Dtype wide = values.dtype() == Dtype.BFLOAT16 ? Dtype.FLOAT32 : values.dtype();
      Tensor copy = Tensors.empty(wide, values.device(), length);
      try (Tensor stretch = Views.narrow(values, 0, start, length)) {
        Copies.into(copy, stretch);
      }
      return copy;
    }
    long padded = padded(start, length);
    Tensor copy = Tensors.empty(Dtype.FLOAT32, values.device(), padded);
    try (Tensor codes = Views.narrow(values, 0, start, padded);
        Tensor ofBlocks = Views.narrow(scales, 0, start / BLOCK, padded / BLOCK)) {
      if (values.device().isCuda()) {
        AdamWKernel.moment("read_moment", codes, ofBlocks, second, copy);
      } else if (!values.device().isMeta()) {
        decode(codes, HostCopy.floats(ofBlocks), copy);
      }
    }
    if (length == padded) {
      return copy;
    }
    try (copy) {
      return Views.narrow(copy, 0, 0, length);
    }
  }

  /**
   * Overwrites a stretch, rounded to the nearest.
   *
   * @param start a multiple of 128
   * @param wide {@code [length]} in the dtype that {@link #read} returns; what lies between its end
   *     and the next multiple of 128 becomes zero
   */
  public void write(long start, Tensor wide) {
    long length = wide.size(0);
    if (scales == null) {
      try (Tensor stretch = Views.narrow(values, 0, start, length)) {
        Copies.into(stretch, wide);
      }
      return;
    }
    long padded = padded(start, length);
    try (Tensor codes = Views.narrow(values, 0, start, padded);
        Tensor ofBlocks = Views.narrow(scales, 0, start / BLOCK, padded / BLOCK);
        Tensor whole = Tensors.zeros(Dtype.FLOAT32, values.device(), padded);
        Tensor place = Views.narrow(whole, 0, 0, length)) {
      Copies.into(place, wide);
      if (values.device().isCuda()) {
        AdamWKernel.moment("write_moment", codes, ofBlocks, second, whole);
      } else if (!values.device().isMeta()) {
        encode(HostCopy.floats(whole), codes, ofBlocks);
      }
    }
  }

  private static long padded(long start, long length) {
    if (start % BLOCK != 0) {
      throw new IllegalArgumentException("a stretch of moments that starts at " + start);
    }
    return (length + BLOCK - 1) / BLOCK * BLOCK;
  }

  private void decode(Tensor codes, float[] ofBlocks, Tensor copy) {
    byte[] bytes = HostCopy.memoryOf(codes).toBytes();
    float[] wide = new float[bytes.length];
    for (int i = 0; i < wide.length; i++) {
      float relative = second ? MomentCode.second(bytes[i]) : MomentCode.first(bytes[i]);
      wide[i] = relative * ofBlocks[i / BLOCK];
    }
    memory(copy).asFloatBuffer().put(wide);
  }

  private static ByteBuffer memory(Tensor host) {
    return HostCopy.memoryOf(host).asByteBuffer().order(ByteOrder.nativeOrder());
  }

  private void encode(float[] wide, Tensor codes, Tensor ofBlocks) {
    byte[] bytes = new byte[wide.length];
    float[] largest = new float[wide.length / BLOCK];
    for (int i = 0; i < wide.length; i++) {
      largest[i / BLOCK] = Math.max(largest[i / BLOCK], Math.abs(wide[i]));
    }
    for (int i = 0; i < wide.length; i++) {
      float scale = largest[i / BLOCK];
      float relative = scale == 0 ? 0 : wide[i] / scale;
      bytes[i] =
          second
              ? MomentCode.second(relative, MomentCode.NEAREST)
              : MomentCode.first(relative, MomentCode.NEAREST);
    }
    memory(codes).put(bytes);
    memory(ofBlocks).asFloatBuffer().put(largest);
  }

  @Override
  public void close() {
    values.close();
    if (scales != null) {
      scales.close();
    }
  }
}
