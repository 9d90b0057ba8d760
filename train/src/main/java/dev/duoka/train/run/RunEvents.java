package dev.duoka.train.run;

import dev.duoka.formats.heartbeat.Phase;
import dev.duoka.train.step.RankState;
import dev.duoka.train.step.StepMetrics;
import java.util.List;

/** What the ranks of a run report to it and ask of it. */
interface RunEvents {
  /** The rank begins something that belongs to a step; called by all ranks. */
  void enter(Phase phase, long step);

  /** Something that people should know; called by the rank that it is about. */
  void notice(String text);

  /**
   * The run has gone over to steps that take less memory; called by the first rank.
   *
   * @param overrides of the run's file that begin with that
   * @param text what happened, for people
   */
  default void remedied(List<String> overrides, String text) {
    notice(text);
  }

  /** A step is done; called by the first rank. */
  void step(StepMetrics metrics, double remainingSeconds);

  /** Something that takes long is so far; called by the first rank. */
  void reached(String what, long done, long total);

  /** The held-out documents were evaluated; called by the first rank. */
  void validated(long step, ValidationResult result);

  /** The run will save, but not yet; called by all ranks after the session's first step. */
  default void expectSave(RankState rank) {}

  /** Saves the state of a run that is so far; called by all ranks at the same point. */
  void save(RankState rank, RunProgress progress);

  /** Whether the run has to wait for others after so many steps; asked by all ranks. */
  default boolean isTurnOver(long steps) {
    return false;
  }

  /** Waits until it may go on; called by all ranks, all of whose work is done. */
  default void awaitTurn(int rank, long steps) {}

  /** Whether the user wants the run to end early; asked after each step and while validating. */
  boolean stopRequested();
}
