package dev.duoka.parallel.state;

/** An optimizer step that was launched and may not have ended. */
@FunctionalInterface
public interface PendingOutcome {
  /** What the step did; waits for it. To be called once, before the next but one step. */
  StepOutcome await();
}
