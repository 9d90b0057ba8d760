package dev.duoka.planner.time;

import java.util.Locale;

/** What a step spends time on. */
public enum Cause {
  /** Matrix products. */
  GEMM,
  /** The attention kernel. */
  ATTENTION,
  /** Norms, activations, permutations, the loss: bound by memory bandwidth. */
  MEMORY_BOUND,
  /** Exchanges of tensor parallelism. */
  TENSOR,
  /** Tokens on their way to experts on other ranks and back. */
  EXPERT,
  /** Exchanges of context parallelism. */
  CONTEXT,
  /** Waiting for other pipeline stages, and sending to them. */
  PIPELINE_BUBBLE,
  /** Reducing gradients and gathering weights over data-parallel ranks, as far as it shows. */
  DATA,
  /** The update of the weights. */
  OPTIMIZER,
  /** Host memory: transfers and the update on the host's processors. */
  OFFLOAD,
  /** Kernels that start later than the device could. */
  LAUNCH,
  /** What real steps take beyond all these. */
  OTHER;

  /** The name in reports. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
