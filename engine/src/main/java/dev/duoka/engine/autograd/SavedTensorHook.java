package dev.duoka.engine.autograd;

import dev.duoka.tensor.Tensor;

/** Decides where saved tensors spend the time between the forward and the backward pass. */
public interface SavedTensorHook {
  /**
   * Takes over a tensor that was saved.
   *
   * @return what {@link #unpack} needs to bring it back
   */
  Object pack(String name, Tensor tensor);

  /** Brings the tensor back; the caller owns it. Called at most once per ticket. */
  Tensor unpack(String name, Object ticket);
}
