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
    return of(quantity, interval, margin, 0, reason);
  }

  /**
   * By the same rule, of a quantity that differs also when nothing is changed, by more than one
   * run's interval can know.
   *
   * @param spread by how much; the interval is wider by that where it must exclude 0
   */
  public static Judgement of(
      Quantity quantity, Interval interval, double margin, double spread, String reason) {
    return new Judgement(
        quantity,
        verdict(quantity, interval, margin, spread),
        Optional.of(interval.seenBeyond(spread)),
        margin,
        reason);
  }

  /** Of a quantity that cannot be compared. */
  public static Judgement notAsked(Quantity quantity, String reason) {
    return new Judgement(quantity, Verdict.NOT_ASKED, Optional.empty(), Double.NaN, reason);
  }

  /**
   * The same, or that there are not enough data where another estimate contradicts it.
   *
   * @param other of the difference, by all that was measured
   * @param why for people
   */
  public Judgement unless(double other, String why) {
    boolean holds =
        switch (verdict) {
          case SAME -> Math.abs(other) <= margin;
          case BETTER -> other > 0 == quantity.moreIsBetter();
          case WORSE -> other > 0 != quantity.moreIsBetter();
          case NOT_ENOUGH_DATA, NOT_ASKED -> true;
        };
    return holds ? this : undecided().because(why);
  }

  /** The same measurement, of which nothing is said. */
  public Judgement undecided() {
    return new Judgement(quantity, Verdict.NOT_ENOUGH_DATA, interval, margin, reason);
  }

  /** The same verdict with another reason. */
  public Judgement because(String other) {
    return new Judgement(quantity, verdict, interval, margin, other);
  }

  private static Verdict verdict(
      Quantity quantity, Interval interval, double margin, double spread) {
    if (interval.isWithin(margin)) {
      return Verdict.SAME;
    }
    if (!interval.excludesZero(spread)) {
      return Verdict.NOT_ENOUGH_DATA;
    }
    return interval.estimate() > 0 == quantity.moreIsBetter() ? Verdict.BETTER : Verdict.WORSE;
  }
}
