package dev.duoka.train.loop;

import dev.duoka.data.batch.DataState;
import java.util.OptionalDouble;

/** What the ranks of a run report to it and ask of it. */
interface RunEvents {
  /** A step is done; called by the first rank. */
  void step(StepMetrics metrics, double remainingSeconds);

  /** The held-out documents were evaluated; called by the first rank. */
  void validated(long step, double loss);

  /** Saves the state after {@code steps} steps; called by all ranks at the same point. */
  void save(RankTrainer.Rank rank, long steps, DataState data, OptionalDouble validationLoss);

  /** Whether the user wants the run to end early. */
  boolean stopRequested();
}
