package dev.duoka.experiment.verdict;

import java.util.Optional;

/**
 * What is said of one quantity, and why.
 *
 * @param interval of the relative difference; empty where it is not asked for
 * @param margin up to which a relative difference makes none
 * @param reason where the verdict or the margin needs one; may be empty
 */
public record Judgement(
    Quantity quantity, Verdict verdict, Optional<Interval> interval, double margin, String reason) {

  /** By the rule that {@link Verdict} says. */
  public static Judgement of(Quantity quantity, Interval interval, double margin, String reason) {
    return new Judgement(
        quantity, verdict(quantity, interval, margin), Optional.of(interval), margin, reason);
  }

  /** Of a quantity that cannot be compared. */
  public static Judgement notAsked(Quantity quantity, String reason) {
    return new Judgement(quantity, Verdict.NOT_ASKED, Optional.empty(), Double.NaN, reason);
  }

  private static Verdict verdict(Quantity quantity, Interval interval, double margin) {
    if (interval.isWithin(margin)) {
      return Verdict.SAME;
    }
    if (!interval.excludesZero()) {
      return Verdict.NOT_ENOUGH_DATA;
    }
    return interval.estimate() > 0 == quantity.moreIsBetter() ? Verdict.BETTER : Verdict.WORSE;
  }
}
