package dev.duoka.parallel.step;

import dev.duoka.data.batch.MicroBatch;
import dev.duoka.engine.function.BalanceLoss;
import dev.duoka.engine.function.EmbeddingNoise;
import dev.duoka.model.Losses;
import dev.duoka.model.Objective;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** How the losses of a step's micro-batches are weighted, and where their sums go. */
public interface MicroBatchLosses {
  /** What is to be made small, and what its gradients are multiplied by. */
  Objective objective();

  /** The experts' auxiliary loss of a micro-batch; null for none. */
  @Nullable BalanceLoss balance(MicroBatch microBatch);

  /** What stands for the step where adapters leave inputs out by chance; empty for no chance. */
  default OptionalLong chance() {
    return OptionalLong.empty();
  }

  /** The noise that embeddings get in passes for gradients; empty for none. */
  default Optional<Noise> noise() {
    return Optional.empty();
  }

  /**
   * Noise of embeddings.
   *
   * @param alpha of its magnitude ({@link EmbeddingNoise#magnitude})
   * @param update what stands for the step
   */
  record Noise(double alpha, long update) {}

  /** Whether the model is to compute without its adapters. */
  default boolean leavesOutAdapters() {
    return false;
  }

  /** Takes what the losses of a micro-batch came to. */
  void add(Losses losses);
}
