package dev.duoka.planner.memory;

import java.util.Locale;

/** What device memory is used for. */
public enum Owner {
  /** The weights that products read. */
  WEIGHTS,
  /** What makes them fp32 for the optimizer; in closed forms part of {@link #OPTIMIZER}. */
  MASTER_WEIGHTS,
  /** The sum of a step's gradients. */
  GRADIENTS,
  /** Moments, and in closed forms master weights. */
  OPTIMIZER,
  /** What forward passes keep for backward passes. */
  ACTIVATIONS,
  /** What the loss keeps. */
  LOGITS,
  /** The largest results that live during one operation, and gathered layers. */
  TEMPORARIES,
  /** Tokens, positions and other small tensors. */
  BATCH,
  /** What the engine's collectives hold beside the tensors that they exchange. */
  COMMUNICATION,
  /**
   * What the busiest rank of experts keeps beyond an equal share; only beside a dry run's counts.
   */
  IMBALANCE,
  /** What the library of collectives takes itself, outside of the engine's tensors. */
  NCCL,
  /** The CUDA context and loaded kernels. */
  CONTEXT,
  /** What libraries of operators take to work in. */
  WORKSPACE,
  /** What the allocator holds beyond what is in use. */
  RESERVE;

  /** Whether the engine books it as a tensor; the driver and chance add the others. */
  public boolean isTensor() {
    return switch (this) {
      case WEIGHTS,
          MASTER_WEIGHTS,
          GRADIENTS,
          OPTIMIZER,
          ACTIVATIONS,
          LOGITS,
          TEMPORARIES,
          BATCH,
          COMMUNICATION ->
          true;
      case IMBALANCE, NCCL, CONTEXT, WORKSPACE, RESERVE -> false;
    };
  }

  /** The name in reports. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
