package dev.duoka.engine.autograd;

import dev.duoka.tensor.Tensor;

/**
 * Decides where saved tensors spend the time between the forward and the backward pass. Every
 * ticket comes back exactly once, to {@link #unpack} or to {@link #discard}.
 */
public interface SavedTensorHook {
  /**
   * Takes over a tensor that was saved, unless it throws.
   *
   * @return what {@link #unpack} needs to bring it back
   */
  Object pack(String name, Tensor tensor);

  /** Brings the tensor back; the caller owns it. */
  Tensor unpack(String name, Object ticket);

  /** Forgets a tensor that nobody wants back, because no gradient reached its function. */
  void discard(String name, Object ticket);
}
