package dev.duoka.experiment.tune;

import java.util.List;
import java.util.Optional;

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

  /**
   * Why one of them need not be tried after all, since it was asked for.
   *
   * @param tried so far
   * @return for people; empty where it is worth it
   */
  default Optional<String> needless(Candidate candidate, List<Tuned.Tried> tried) {
    return Optional.empty();
  }

  /** All of these, whatever comes of them. */
  static Search through(List<Candidate> candidates) {
    return tried -> tried.isEmpty() ? candidates : List.of();
  }
}
