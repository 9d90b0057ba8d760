package dev.duoka.experiment.tune;

import dev.duoka.experiment.verdict.Interval;
import dev.duoka.experiment.verdict.Judgement;
import java.util.List;
import java.util.Optional;

/**
 * What tuning has found.
 *
 * @param tried all candidates, the fastest first, those that cannot train last
 * @param best the one that is better than the run file as it is and better than no other; the run
 *     file as it is where none is
 * @param judgements of the best against the run file as it is; empty where that is the best
 * @param cutShort whether time ran out before all were tried
 */
public record Tuned(
    List<Tried> tried, Candidate best, List<Judgement> judgements, boolean cutShort) {
  public Tuned {
    tried = List.copyOf(tried);
    judgements = List.copyOf(judgements);
  }

  /**
   * A candidate that was tried alone.
   *
   * @param logSpeed of its steps, the logarithm of tokens a second; empty where it cannot train
   * @param peakBytes of tensors, of the rank that needs most
   * @param reason why it cannot train; empty where it can
   */
  public record Tried(
      Candidate candidate, Optional<Interval> logSpeed, long peakBytes, String reason) {
    /** Tokens a second; NaN where it cannot train. */
    public double tokensPerSecond() {
      return logSpeed.map(interval -> Math.exp(interval.estimate())).orElse(Double.NaN);
    }

    double high() {
      return logSpeed.map(Interval::high).orElse(Double.NEGATIVE_INFINITY);
    }
  }
}
