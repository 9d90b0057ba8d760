package dev.duoka.tensor.kernel;

import dev.duoka.ffi.torch.TensorHandle;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;

/**
 * Rotary position embedding and the copies around attention, in place where nothing else reads the
 * memory. Heads are {@code [b, t, heads, width]}, in any layout whose last dimension is dense.
 * Launches asynchronously; deterministic.
 */
public final class HeadKernels {
  private static final KernelFamily KERNELS = new KernelFamily("rotary.cu");

  private static final int THREADS = 256;

  /** The widest rotated part, as in the source. */
  private static final int WIDEST = 256;

  /**
   * What rotates.
   *
   * @param cosines fp32 {@code [positions, width / 2]}
   * @param sines fp32, likewise
   * @param interleaved whether pairs are neighbours
   * @param firstPosition of the first token
   */
  public record Rotation(Tensor cosines, Tensor sines, boolean interleaved, long firstPosition) {
    int width() {
      return Math.toIntExact(2 * cosines.size(1));
    }

    /** Whether whole packs of tensors like this are rotated. */
    boolean inPacksOf(Tensor like) {
      int pack = KernelFamily.pack(like);
      return width() % (interleaved ? pack : 2 * pack) == 0 && width() <= WIDEST;
    }
  }

  private HeadKernels() {}

  /** Whether heads of {@code width} columns in a dense {@code joint} can be served. */
  public static boolean take(Tensor joint, long width, Rotation rotation) {
    return KernelFamily.serve(joint)
        && KernelFamily.inPacks(joint, width)
        && (width - rotation.width()) % KernelFamily.pack(joint) == 0
        && rotation.inPacksOf(joint);
  }

  /** Whether heads {@code [.., width]} in any layout can be read in whole packs. */
  public static boolean takeAnyLayout(Tensor heads, Rotation rotation) {
    int pack = KernelFamily.pack(heads);
    if (!KernelFamily.serve(heads) || heads.size(-1) % pack != 0 || !rotation.inPacksOf(heads)) {
      return false;
    }
    long[] strides = TensorHandle.strides(heads.handle());
    for (int dim = 0; dim < strides.length - 1; dim++) {
      if (strides[dim] % pack != 0) {
        return false;
      }
    }
    boolean aligned = heads.device().isMeta() || Views.addressOf(heads) % (2L * Long.BYTES) == 0;
    return strides[strides.length - 1] == 1 && aligned;
  }

  /**
   * Copies heads, and rotates the last columns of each.
   *
   * @param from {@code [b, t, heads, width]}
   * @param to of the same shape; may be {@code from} itself
   * @param direction 1, or −1 for the gradient
   */
  public static void rotate(Tensor from, Tensor to, Rotation rotation, int direction) {
    move(from, to, rotation, rotation.width(), direction);
  }

  /** Copies heads without rotating. */
  public static void copy(Tensor from, Tensor to, Rotation rotation) {
    move(from, to, rotation, 0, 1);
  }

  private static void move(Tensor from, Tensor to, Rotation rotation, int rotated, int direction) {
    if (!from.device().isCuda() || from.elements() == 0) {
      return;
    }
    long[] source = TensorHandle.strides(from.handle());
    long[] target = TensorHandle.strides(to.handle());
    KERNELS
        .call(from, "move_heads")
        .grid(Math.toIntExact(from.size(0) * from.size(1)))
        .block(THREADS)
        .pointer(Views.addressOf(from))
        .pointer(Views.addressOf(to))
        .pointer(Views.addressOf(rotation.cosines()))
        .pointer(Views.addressOf(rotation.sines()))
        .integer(Math.toIntExact(from.size(1)))
        .integer(Math.toIntExact(from.size(2)))
        .integer(Math.toIntExact(from.size(3)))
        .integer(rotated)
        .integer(rotation.interleaved() ? 1 : 0)
        .integer(Math.toIntExact(rotation.firstPosition()))
        .floating(direction)
        .longInteger(source[0])
        .longInteger(source[1])
        .longInteger(source[2])
        .longInteger(target[0])
        .longInteger(target[1])
        .longInteger(target[2])
        .launch();
  }

  /**
   * The keys of latent attention: the first columns of each head of {@code latent}, and the rotated
   * part that all heads share.
   *
   * @param latent dense {@code [b, t, heads, nope + value]}
   * @param shared dense {@code [b·t, rope]}
   * @return dense {@code [b, t, heads, nope + rope]}
   */
  public static Tensor latentKeys(Tensor latent, Tensor shared, long nope, Rotation rotation) {
    Tensor key =
        Tensors.empty(
            latent.dtype(),
            latent.device(),
            latent.size(0),
            latent.size(1),
            latent.size(2),
            nope + shared.size(1));
    if (latent.device().isCuda() && latent.elements() > 0) {
      KERNELS
          .call(latent, "latent_keys")
          .grid(Math.toIntExact(latent.size(0) * latent.size(1)))
          .block(THREADS)
          .pointer(Views.addressOf(latent))
          .pointer(Views.addressOf(shared))
          .longInteger(shared.size(1))
          .pointer(Views.addressOf(key))
          .pointer(Views.addressOf(rotation.cosines()))
          .pointer(Views.addressOf(rotation.sines()))
          .integer(Math.toIntExact(latent.size(1)))
          .integer(Math.toIntExact(latent.size(2)))
          .integer(Math.toIntExact(nope))
          .integer(rotation.width())
          .integer(Math.toIntExact(latent.size(3)))
          .integer(rotation.interleaved() ? 1 : 0)
          .integer(Math.toIntExact(rotation.firstPosition()))
          .launch();
    }
    return key;
  }

  /**
   * The gradients of {@link #latentKeys}, joined with those of the values.
   *
   * @param key {@code [b, t, heads, nope + rope]}
   * @param value {@code [b, t, heads, value]}
   * @return of the latent, dense {@code [b, t, heads, nope + value]}, and of the shared part,
   *     {@code [b·t, rope]}
   */
  public static Tensor[] latentGradients(Tensor key, Tensor value, long nope, Rotation rotation) {
    Tensor latent =
        Tensors.empty(
            key.dtype(), key.device(), key.size(0), key.size(1), key.size(2), nope + value.size(3));
    Tensor shared =
        Tensors.empty(key.dtype(), key.device(), key.size(0) * key.size(1), rotation.width());
    if (key.device().isCuda() && key.elements() > 0) {
      long[] keys = TensorHandle.strides(key.handle());
      long[] values = TensorHandle.strides(value.handle());
      KERNELS
          .call(key, "latent_backward")
          .grid(Math.toIntExact(key.size(0) * key.size(1)))
          .block(THREADS)
          .pointer(Views.addressOf(key))
          .pointer(Views.addressOf(value))
          .pointer(Views.addressOf(latent))
          .pointer(Views.addressOf(shared))
          .pointer(Views.addressOf(rotation.cosines()))
          .pointer(Views.addressOf(rotation.sines()))
          .integer(Math.toIntExact(key.size(1)))
          .integer(Math.toIntExact(key.size(2)))
          .integer(Math.toIntExact(nope))
          .integer(rotation.width())
          .integer(Math.toIntExact(value.size(3)))
          .integer(rotation.interleaved() ? 1 : 0)
          .integer(Math.toIntExact(rotation.firstPosition()))
          .longInteger(keys[0])
          .longInteger(keys[1])
          .longInteger(keys[2])
          .longInteger(values[0])
          .longInteger(values[1])
          .longInteger(values[2])
          .launch();
    }
    return new Tensor[] {latent, shared};
  }
}
