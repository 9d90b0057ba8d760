package dev.duoka.verify.parity;

import java.util.Map;
import java.util.Optional;

/** Computes what a folder expects, from the folder's weights each time. */
sealed interface ParityEngine permits OneRank, MeshRanks {
  /**
   * One batch.
   *
   * @param loss mean over the next tokens
   * @param logits {@code [b, t, vocabulary]}; empty where they are not put together
   * @param gradients of whole parameters by name, not clipped
   */
  record OneBatch(double loss, Optional<Logits> logits, Map<String, double[]> gradients) {}

  /** Flat logits. */
  @FunctionalInterface
  interface Logits {
    /** All of them. */
    double[] values();
  }

  /** Loss, logits and gradients of a batch. */
  OneBatch oneBatch(TokenIds ids);

  /**
   * Optimizer steps.
   *
   * @param perturbation 0, or the seed of a change of every weight by about its last bit
   */
  OptimizerSteps.Series steps(int perturbation);
}
