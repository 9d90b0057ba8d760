package dev.duoka.tensor.op;

import dev.duoka.ffi.torch.Operator;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;

/** Copies between layouts, dtypes and devices. */
public final class Copies {
  private static final Operator COPY = Operator.of("aten::copy_", "");
  private static final Operator CAT = Operator.of("aten::cat", "");

  private Copies() {}

  /**
   * Overwrites {@code target} with {@code source}, converting dtype and device; the source is
   * broadcast to the target's shape. A copy from the GPU to pageable host memory synchronises.
   */
  public static void into(Tensor target, Tensor source) {
    Call.of(COPY).tensor(target).tensor(source).bool(false).inPlace();
  }

  /** As {@link #into}, but does not wait when one side is pinned host memory. */
  public static void intoAsync(Tensor target, Tensor source) {
    Call.of(COPY).tensor(target).tensor(source).bool(true).inPlace();
  }

  /** A dense copy. */
  public static Tensor dense(Tensor tensor) {
    Tensor copy = Tensors.empty(tensor.dtype(), tensor.device(), tensor.shape());
    into(copy, tensor);
    return copy;
  }

  /** The values in another dtype; a tensor of its own even when the dtype is the same already. */
  public static Tensor cast(Tensor tensor, Dtype dtype) {
    if (tensor.dtype() == dtype) {
      return tensor.share();
    }
    Tensor copy = Tensors.empty(dtype, tensor.device(), tensor.shape());
    into(copy, tensor);
    return copy;
  }

  /** The values on another device; a tensor of its own even when it is there already. */
  public static Tensor to(Tensor tensor, Device device) {
    if (tensor.device().equals(device)) {
      return tensor.share();
    }
    Tensor copy = Tensors.empty(tensor.dtype(), device, tensor.shape());
    into(copy, tensor);
    return copy;
  }

  /** The tensors joined along one dimension. */
  public static Tensor concatenate(int dim, Tensor... tensors) {
    return Call.of(CAT).tensors(tensors).integer(dim).result();
  }
}
