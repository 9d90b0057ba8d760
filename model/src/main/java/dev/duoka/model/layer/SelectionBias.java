package dev.duoka.model.layer;

import dev.duoka.model.weight.StateBuffer;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Tensors;
import org.jspecify.annotations.Nullable;

/**
 * Load balancing without an auxiliary loss (DeepSeek-V3, arXiv:2412.19437 §2.1.2): a bias per
 * expert is added to its score for the choice only, and after each step it moves up by a fixed rate
 * for experts with less than the mean load and down for those with more.
 */
public final class SelectionBias {
  private final StateBuffer bias;
  private @Nullable Tensor load;

  SelectionBias(StateBuffer bias) {
    this.bias = bias;
  }

  /** The bias, fp32 {@code [experts]}. */
  public Tensor value() {
    return bias.value();
  }

  /** Adds the assignments of a micro-batch, int64 {@code [experts]}. */
  void count(Tensor assignments) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor sum = load;
      if (sum == null) {
        Tensor zeros = Tensors.zeros(value().dtype(), value().device(), assignments.size(0));
        sum = Scope.detach(zeros);
        load = sum;
      }
      Elementwise.addInPlace(sum, assignments);
    }
  }

  /**
   * The assignments counted since the last {@link #move}, fp32 {@code [experts]}; null before the
   * first. Whoever runs a step on several devices sums it over all of them, in place.
   */
  public @Nullable Tensor load() {
    return load;
  }

  /**
   * Moves the bias by the load, and starts a new count.
   *
   * @param rate γ, how far each bias moves
   */
  public void move(double rate) {
    Tensor counted = load;
    if (counted == null) {
      return;
    }
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor missing = Elementwise.add(Reductions.mean(counted, 0, true), counted, -1);
      Tensor step = Elementwise.mul(Elementwise.sign(missing), rate);
      Copies.into(value(), Elementwise.add(value(), step));
      Tensors.zero(counted);
    }
  }

  /** Frees the count. */
  public void close() {
    if (load != null) {
      load.close();
    }
  }
}
