package dev.duoka.experiment.tune;

import java.util.List;

/** Says what is tried next. */
@FunctionalInterface
public interface Search {
  /**
   * What is to be tried now.
   *
   * @param tried so far, in that order
   * @return candidates that are not among them, the run file as it is first of all; empty at the
   *     end
   */
  List<Candidate> next(List<Tuned.Tried> tried);

  /** All of these, whatever comes of them. */
  static Search through(List<Candidate> candidates) {
    return tried -> tried.isEmpty() ? candidates : List.of();
  }
}
