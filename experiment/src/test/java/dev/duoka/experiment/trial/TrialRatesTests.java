package dev.duoka.experiment.trial;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.experiment.arm.ArmSteps;
import dev.duoka.experiment.arm.TurnPlan;
import dev.duoka.experiment.verdict.Judgement;
import dev.duoka.experiment.verdict.Quantity;
import dev.duoka.experiment.verdict.Verdict;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * How often a trial of a hundred steps says what, of a thousand simulated ones: steps of a card
 * vary by 0.3 % from one to the next, drift by some percent within minutes, and one in fifty is
 * late. Losses differ from each other by rounding, which grows.
 */
final class TrialRatesTests {
  private static final int TRIALS = 1000;

  /** How far rounding takes a loss with each step: beyond the least margin within a hundred. */
  private static final double DRIFT = 1e-3;

  private static final TurnPlan PLAN = TurnPlan.of(0, 100);

  /** The device's slowness over all steps that are taken on it, in order. */
  private static final class Card {
    private final Random random;
    private double drift;

    Card(Random random) {
      this.random = random;
    }

    double seconds() {
      drift = 0.995 * drift + 0.0005 * random.nextGaussian();
      double late = random.nextInt(50) == 0 ? 0.2 * random.nextDouble() : 0;
      return 0.5 * (1 + drift + 0.003 * random.nextGaussian() + late);
    }
  }

  private static List<Judgement> trial(Random random, double slower, Margins margins) {
    Card card = new Card(random);
    List<Map<Long, ArmSteps.Step>> arms = List.of(new HashMap<>(), new HashMap<>());
    double[] away = new double[2];
    for (TurnPlan.Turn turn : PLAN.turns(2)) {
      Map<Long, ArmSteps.Step> steps = arms.get(turn.arm());
      for (long step = steps.size() + 1; step <= turn.until(); step++) {
        away[turn.arm()] += DRIFT * random.nextGaussian();
        double loss = 3 * Math.pow(step, -0.1) * (1 + away[turn.arm()]);
        double seconds = card.seconds() * (turn.arm() == 1 ? 1 + slower : 1);
        steps.put(
            step,
            new ArmSteps.Step(8192 / seconds, loss, loss * (1 + 1e-3 * random.nextGaussian())));
      }
    }
    return new Comparison(PLAN, List.of())
        .of(
            new ArmSteps(arms.get(0), 1000),
            new ArmSteps(arms.get(1), 1000),
            margins,
            Optional.empty());
  }

  private static Map<Quantity, Map<Verdict, Integer>> verdicts(double slower) {
    Random random = new Random(20_261_129);
    Map<Quantity, Map<Verdict, Integer>> counts = new EnumMap<>(Quantity.class);
    for (int number = 0; number < TRIALS; number++) {
      Margins margins =
          Margins.of(
              List.of(
                  trial(random, 0, Margins.of(List.of())),
                  trial(random, 0, Margins.of(List.of())),
                  trial(random, 0, Margins.of(List.of()))));
      for (Judgement judgement : trial(random, slower, margins)) {
        counts
            .computeIfAbsent(judgement.quantity(), _ -> new EnumMap<>(Verdict.class))
            .merge(judgement.verdict(), 1, Integer::sum);
      }
    }
    System.out.printf("%.0f %% slower: %s%n", 100 * slower, counts);
    return counts;
  }

  private static double share(
      Map<Quantity, Map<Verdict, Integer>> counts, Quantity quantity, Verdict verdict) {
    return counts.getOrDefault(quantity, Map.of()).getOrDefault(verdict, 0) / (double) TRIALS;
  }

  @Test
  void whatIsNoSlowerIsTheSame() {
    Map<Quantity, Map<Verdict, Integer>> counts = verdicts(0);
    assertThat(share(counts, Quantity.SPEED, Verdict.SAME)).isGreaterThan(0.95);
    for (Quantity quantity : Quantity.values()) {
      double wrong =
          share(counts, quantity, Verdict.BETTER) + share(counts, quantity, Verdict.WORSE);
      assertThat(wrong).as("%s", quantity).isLessThan(0.05);
    }
  }

  @Test
  void twoPercentAreSeen() {
    assertThat(share(verdicts(0.02), Quantity.SPEED, Verdict.WORSE)).isGreaterThan(0.95);
  }

  @Test
  void fourPercentAreSeen() {
    assertThat(share(verdicts(0.04), Quantity.SPEED, Verdict.WORSE)).isGreaterThan(0.99);
  }

  /** Who does not know what a model differs from itself by calls no loss better or worse. */
  @Test
  void withoutATrialOfItselfNoLossIsWorse() {
    Random random = new Random(20_261_130);
    Margins unknown = Margins.of(List.of());
    for (int number = 0; number < TRIALS / 5; number++) {
      assertThat(trial(random, 0, unknown))
          .filteredOn(judgement -> !judgement.quantity().equals(Quantity.SPEED))
          .extracting(Judgement::verdict)
          .doesNotContain(Verdict.BETTER, Verdict.WORSE);
    }
  }

  /** At the margin itself nothing is certain, but it is never called better. */
  @Test
  void onePercentIsNeverBetter() {
    assertThat(share(verdicts(0.01), Quantity.SPEED, Verdict.BETTER)).isZero();
  }
}
