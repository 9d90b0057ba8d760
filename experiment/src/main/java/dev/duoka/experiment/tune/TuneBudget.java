package dev.duoka.experiment.tune;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * How the minutes are shared: what the comparison in turns will take, by how long the candidates
 * took to start and to step, is kept for it; the search has the rest.
 */
final class TuneBudget {
  /** Steps of an arm in turns, where there is time. */
  static final int MOST_STEPS = 60;

  /** With fewer an interval says little. */
  private static final int ENOUGH_STEPS = 40;

  private static final int FEWEST_STEPS = 20;

  /** So many times as long as any before: what takes longer hangs, or is of no use. */
  private static final double PATIENCE = 3;

  private static final double LEAST_PATIENCE_SECONDS = 60;

  /** Finalists that time is kept for. */
  private static final int KEPT_FOR = 2;

  private final long endNanos;
  private final double tokensPerStep;
  private final Map<Candidate, Double> starts = new HashMap<>();
  private final List<Double> tries = new ArrayList<>();
  private final List<Double> trained = new ArrayList<>();

  /**
   * A budget that begins now.
   *
   * @param minutes for all
   * @param tokensPerStep of each candidate alike
   */
  TuneBudget(double minutes, double tokensPerStep) {
    this.endNanos = System.nanoTime() + (long) (minutes * 60e9);
    this.tokensPerStep = tokensPerStep;
  }

  /**
   * The comparison at the end.
   *
   * @param finalists beside the run file as it is
   * @param steps of each arm in turns
   */
  record Turns(int finalists, int steps) {}

  /**
   * How long one may take at most, in seconds, by those before it that have trained; the first may
   * take as long as it does.
   */
  double patience() {
    double longest = trained.stream().mapToDouble(each -> each).max().orElse(0);
    return longest == 0
        ? Double.POSITIVE_INFINITY
        : Math.max(LEAST_PATIENCE_SECONDS, PATIENCE * longest);
  }

  /** Notes how long a candidate took, from its start to the end of its steps. */
  void took(Tuned.Tried one, double seconds, int steps) {
    tries.add(seconds);
    if (one.logSpeed().isPresent()) {
      trained.add(seconds);
    }
    starts.put(one.candidate(), Math.max(0, seconds - steps * secondsOfStep(one)));
  }

  /**
   * Whether what is left is less than one more try takes, as long as those before, and what is
   * needed to compare the fastest of them with the run file as it is, which is the first of them;
   * where that cannot train nothing is compared.
   */
  boolean isSearchOver(List<Tuned.Tried> tried) {
    List<Tuned.Tried> fastest =
        tried.stream()
            .skip(1)
            .filter(one -> one.logSpeed().isPresent())
            .sorted(Comparator.comparingDouble(Tuned.Tried::tokensPerSecond).reversed())
            .limit(KEPT_FOR)
            .toList();
    boolean compares = tried.getFirst().logSpeed().isPresent() && !fastest.isEmpty();
    double kept = compares ? seconds(arms(tried.getFirst(), fastest)) : 0;
    return left() <= kept + tries.stream().mapToDouble(each -> each).average().orElse(0);
  }

  private double seconds(List<Tuned.Tried> arms) {
    return starts(arms) + ENOUGH_STEPS * steps(arms);
  }

  private static List<Tuned.Tried> arms(Tuned.Tried asItIs, List<Tuned.Tried> finalists) {
    return Stream.concat(Stream.of(asItIs), finalists.stream()).toList();
  }

  /**
   * As many finalists, and of those as many steps, as there is time for; one at least.
   *
   * @param asItIs the run file
   * @param finalists the fastest first
   */
  Turns turns(Tuned.Tried asItIs, List<Tuned.Tried> finalists) {
    for (int count = finalists.size(); ; count--) {
      List<Tuned.Tried> arms = arms(asItIs, finalists.subList(0, count));
      double fit = (left() - starts(arms)) / steps(arms);
      if (fit >= ENOUGH_STEPS || count <= 1) {
        return new Turns(count, (int) Math.clamp(fit, FEWEST_STEPS, MOST_STEPS));
      }
    }
  }

  private double left() {
    return (endNanos - System.nanoTime()) / 1e9;
  }

  private double starts(List<Tuned.Tried> arms) {
    return arms.stream().mapToDouble(arm -> starts.getOrDefault(arm.candidate(), 0.0)).sum();
  }

  private double steps(List<Tuned.Tried> arms) {
    return arms.stream().mapToDouble(this::secondsOfStep).sum();
  }

  private double secondsOfStep(Tuned.Tried one) {
    return one.logSpeed().isEmpty() ? 0 : tokensPerStep / one.tokensPerSecond();
  }
}
