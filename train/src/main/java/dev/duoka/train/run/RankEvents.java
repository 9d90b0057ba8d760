package dev.duoka.train.run;

import dev.duoka.train.step.RankState;
import dev.duoka.train.step.StepMetrics;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Where the events of a rank go: to the listener, the metrics file and the checkpoints.
 *
 * @param stop whether the user wants the run to end early
 * @param metrics of the first rank, which is the one that reports; empty for others
 */
record RankEvents(
    RunListener listener,
    RunCheckpoints checkpoints,
    BooleanSupplier stop,
    long totalSteps,
    Optional<MetricsFile> metrics)
    implements RunEvents {
  @Override
  public void step(StepMetrics step, double remainingSeconds) {
    metrics.ifPresent(file -> file.step(step));
    listener.step(step, totalSteps, remainingSeconds);
  }

  @Override
  public void validated(long step, double loss) {
    metrics.ifPresent(file -> file.validation(step, loss));
    listener.validated(step, loss);
  }

  @Override
  public void save(RankState rank, RunProgress progress) {
    checkpoints.save(rank, progress);
  }

  @Override
  public boolean stopRequested() {
    return stop.getAsBoolean();
  }
}
