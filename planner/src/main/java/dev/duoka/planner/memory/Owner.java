package dev.duoka.planner.memory;

import java.util.Locale;

/** What device memory is used for. */
public enum Owner {
  /** The weights that products read. */
  WEIGHTS,
  /** The sum of a step's gradients. */
  GRADIENTS,
  /** Moments and master weights. */
  OPTIMIZER,
  /** What forward passes keep for backward passes. */
  ACTIVATIONS,
  /** What the loss keeps. */
  LOGITS,
  /** The largest results that live during one operation, and gathered layers. */
  TEMPORARIES,
  /** Buffers of collectives. */
  NCCL,
  /** The CUDA context and loaded kernels. */
  CONTEXT,
  /** What the allocator holds beyond what is in use. */
  RESERVE;

  /** The name in reports. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
