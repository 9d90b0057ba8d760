package dev.duoka.parallel.dryrun;

/** What a run takes from forward passes without gradients, between its steps. */
public enum Evaluated {
  /** The loss that is trained, of what is held out. */
  LOSS,
  /** The log-probability of each sequence: what references and choices are. */
  LOG_PROBABILITIES,
  /** The most likely next token of each sequence: what the model writes. */
  MOST_LIKELY
}
