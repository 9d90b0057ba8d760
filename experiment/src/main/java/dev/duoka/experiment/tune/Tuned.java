package dev.duoka.experiment.tune;

import dev.duoka.experiment.verdict.Interval;
import dev.duoka.experiment.verdict.Judgement;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What tuning has found.
 *
 * @param tried all candidates, in the order in which they were tried, the run file as it is first
 * @param best the one that is better than the run file as it is and better than no other; the run
 *     file as it is where none is; where that cannot train, the fastest one alone
 * @param compared those that then trained in turns with the run file as it is; empty where that
 *     cannot train
 * @param cutShort whether it ended, by its time or by its user, before all were tried and compared
 */
public record Tuned(List<Tried> tried, Candidate best, List<Compared> compared, boolean cutShort) {
  public Tuned {
    tried = List.copyOf(tried);
    compared = List.copyOf(compared);
  }

  /**
   * A candidate beside the run file as it is.
   *
   * @param judgements of it, all four
   */
  public record Compared(Candidate candidate, List<Judgement> judgements) {
    public Compared {
      judgements = List.copyOf(judgements);
    }
  }

  /** The same candidates with another end. */
  Tuned with(Candidate other, List<Compared> those) {
    return new Tuned(tried, other, those, cutShort);
  }

  /** Of the best; empty where that is the run file as it is, or was compared with nothing. */
  public List<Judgement> judgements() {
    return compared.stream()
        .filter(one -> one.candidate().equals(best))
        .findFirst()
        .map(Compared::judgements)
        .orElse(List.of());
  }

  /** Whether the run file trains here without a change. */
  boolean canTrainAsItIs() {
    return tried.getFirst().logSpeed().isPresent();
  }

  /** Whether something that was tried trains here. */
  public boolean canTrain() {
    return tried.stream().anyMatch(one -> one.logSpeed().isPresent());
  }

  /** The candidates, those that cannot train last. */
  public List<Tried> fastestFirst() {
    return tried.stream()
        .sorted(
            Comparator.comparingDouble(
                one -> one.logSpeed().isPresent() ? -one.tokensPerSecond() : 0))
        .toList();
  }

  /**
   * Those that were faster than all that were tried before them: how the search came to its end.
   */
  public List<Tried> climb() {
    List<Tried> climb = new ArrayList<>();
    for (Tried one : tried) {
      if (one.logSpeed().isPresent()
          && (climb.isEmpty() || one.tokensPerSecond() > climb.getLast().tokensPerSecond())) {
        climb.add(one);
      }
    }
    return climb;
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

    /** Whether it was faster than another one by more than the steps of both differ. */
    boolean isClearlyFasterThan(Tried other) {
      return logSpeed.map(Interval::low).orElse(Double.NEGATIVE_INFINITY) > other.high();
    }

    double high() {
      return logSpeed.map(Interval::high).orElse(Double.NEGATIVE_INFINITY);
    }
  }
}
