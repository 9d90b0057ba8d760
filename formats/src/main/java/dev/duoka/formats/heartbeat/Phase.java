package dev.duoka.formats.heartbeat;

import java.util.Locale;

/** What a rank is about. */
public enum Phase {
  /** It fills its weights, or reads a checkpoint. */
  LOADING,
  /** It waits for the batch of its next step. */
  DATA,
  /** It takes a step. */
  STEP,
  /** It evaluates the held-out documents. */
  VALIDATION,
  /** It copies its state, to be written to a checkpoint. */
  SAVING,
  /** It waits until everything is on disk. */
  ENDING;

  /** For example {@code step}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
