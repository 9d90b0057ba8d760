package dev.duoka.experiment.trial;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.experiment.arm.ArmSteps;
import dev.duoka.experiment.arm.TurnPlan;
import dev.duoka.experiment.verdict.Judgement;
import dev.duoka.experiment.verdict.Quantity;
import dev.duoka.experiment.verdict.Verdict;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * How often a trial of a hundred steps says what, of a thousand. Step times are those of a card,
 * recorded and drawn as contiguous turns, or simulated: they vary by 0.3 % from one to the next,
 * drift by some percent within minutes, and one in fifty is late. Losses differ from each other by
 * rounding, which grows.
 */
final class TrialRatesTests {
  private static final int TRIALS = 1000;

  /** How far rounding takes a loss with each step: beyond the least margin within a hundred. */
  private static final double DRIFT = 1e-3;

  private static final Set<Verdict> MOVED = EnumSet.of(Verdict.BETTER, Verdict.WORSE);

  private static final TurnPlan PLAN = TurnPlan.of(0, 100);

  /** The device's slowness over all steps that are taken on it, in order. */
  private interface Card {
    /** Of the next step; its place in its block counts. */
    double seconds(int place);
  }

  private static final class SimulatedCard implements Card {
    private final Random random;
    private double drift;

    SimulatedCard(Random random) {
      this.random = random;
    }

    @Override
    public double seconds(int place) {
      drift = 0.995 * drift + 0.0005 * random.nextGaussian();
      double late = random.nextInt(50) == 0 ? 0.2 * random.nextDouble() : 0;
      return 0.5 * (1 + drift + 0.003 * random.nextGaussian() + late);
    }
  }

  /** Turns of five steps that two equal arms took on a card. */
  private static final class RecordedCard implements Card {
    private static final double[][] TURNS = read();
    private static final int CONTIGUOUS = 8;

    private final Random random;
    private int taken;
    private int turn;

    RecordedCard(Random random) {
      this.random = random;
    }

    private static double[][] read() {
      try (InputStream in =
          Objects.requireNonNull(TrialRatesTests.class.getResourceAsStream("h200-turns.txt"))) {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8)
            .lines()
            .filter(line -> !line.startsWith("#"))
            .map(line -> Stream.of(line.split(" ")).mapToDouble(Double::parseDouble).toArray())
            .toArray(double[][]::new);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public double seconds(int place) {
      if (place == 0) {
        turn = taken % CONTIGUOUS == 0 ? random.nextInt(TURNS.length - CONTIGUOUS) : turn + 1;
        taken++;
      }
      return TURNS[turn][place];
    }
  }

  private static List<Judgement> trial(Random random, double slower, Margins margins) {
    return trial(new SimulatedCard(random), random, slower, margins);
  }

  private static List<Judgement> trial(Card card, Random random, double slower, Margins margins) {
    List<Map<Long, ArmSteps.Step>> arms = List.of(new HashMap<>(), new HashMap<>());
    double[] away = new double[2];
    for (TurnPlan.Turn turn : PLAN.turns(2)) {
      Map<Long, ArmSteps.Step> steps = arms.get(turn.arm());
      for (long step = steps.size() + 1; step <= turn.until(); step++) {
        away[turn.arm()] += DRIFT * random.nextGaussian();
        double loss = 3 * Math.pow(step, -0.1) * (1 + away[turn.arm()]);
        int place = (int) Math.floorMod(step - PLAN.warm() - 1, (long) PLAN.block());
        double seconds = card.seconds(place) * (turn.arm() == 1 ? 1 + slower : 1);
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

  /**
   * Verdicts of all trials.
   *
   * @param moved trials in which anything at all was better or worse
   */
  private record Rates(Map<Quantity, Map<Verdict, Integer>> counts, int moved) {
    double of(Quantity quantity, Verdict verdict) {
      return counts.getOrDefault(quantity, Map.of()).getOrDefault(verdict, 0) / (double) TRIALS;
    }

    double anyMoved() {
      return moved / (double) TRIALS;
    }
  }

  private static Rates verdicts(double slower) {
    return verdicts("simulated", SimulatedCard::new, slower);
  }

  private static Rates verdicts(String times, Function<Random, Card> card, double slower) {
    Random random = new Random(20_261_129);
    Map<Quantity, Map<Verdict, Integer>> counts = new EnumMap<>(Quantity.class);
    int moved = 0;
    for (int number = 0; number < TRIALS; number++) {
      Margins margins =
          Margins.of(
              List.of(
                  trial(random, 0, Margins.of(List.of())),
                  trial(random, 0, Margins.of(List.of())),
                  trial(random, 0, Margins.of(List.of()))));
      List<Judgement> all = trial(card.apply(random), random, slower, margins);
      for (Judgement judgement : all) {
        counts
            .computeIfAbsent(judgement.quantity(), _ -> new EnumMap<>(Verdict.class))
            .merge(judgement.verdict(), 1, Integer::sum);
      }
      moved += all.stream().anyMatch(it -> MOVED.contains(it.verdict())) ? 1 : 0;
    }
    System.out.printf("%s, %.0f %% slower: %s, %d moved%n", times, 100 * slower, counts, moved);
    return new Rates(counts, moved);
  }

  @Test
  void whatIsNoSlowerIsTheSame() {
    Rates rates = verdicts(0);
    assertThat(rates.of(Quantity.SPEED, Verdict.SAME)).isGreaterThan(0.95);
    assertThat(rates.anyMoved()).isLessThan(0.05);
  }

  @Test
  void twoPercentAreSeen() {
    assertThat(verdicts(0.02).of(Quantity.SPEED, Verdict.WORSE)).isGreaterThan(0.95);
  }

  @Test
  void fourPercentAreSeen() {
    assertThat(verdicts(0.04).of(Quantity.SPEED, Verdict.WORSE)).isGreaterThan(0.99);
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
    assertThat(verdicts(0.01).of(Quantity.SPEED, Verdict.BETTER)).isZero();
  }

  /** Steps of 40 ms that vary by 1.4 %: what a card does, and not what one would like to assume. */
  @Test
  void recordedStepsThatAreNoSlowerAreTheSame() {
    Rates rates = verdicts("recorded", RecordedCard::new, 0);
    assertThat(rates.of(Quantity.SPEED, Verdict.SAME)).isGreaterThan(0.8);
    assertThat(rates.anyMoved()).isLessThan(0.05);
  }

  @Test
  void recordedStepsThatAreSlowerAreSeen() {
    Rates margin = verdicts("recorded", RecordedCard::new, 0.01);
    assertThat(margin.of(Quantity.SPEED, Verdict.BETTER)).isZero();
    for (double slower : new double[] {0.02, 0.04}) {
      Rates rates = verdicts("recorded", RecordedCard::new, slower);
      assertThat(rates.of(Quantity.SPEED, Verdict.WORSE)).isGreaterThan(0.95);
    }
  }

  /**
   * Every tenth step of one arm takes twice as long, which no median shows: it is what was changed.
   * The same in both arms is the machine's, and hides nothing.
   */
  @Test
  void stepsThatAreLateInOneArmAloneCount() {
    Random random = new Random(20_261_201);
    Margins unknown = Margins.of(List.of());
    for (int number = 0; number < TRIALS / 10; number++) {
      assertThat(withTenthStep(random, 1, unknown).verdict()).isEqualTo(Verdict.WORSE);
      assertThat(withTenthStep(random, 0, unknown).verdict()).isEqualTo(Verdict.SAME);
    }
  }

  /**
   * Four late steps of one arm may be chance, and hide nothing, unless they are worth more than the
   * margin: then nobody knows. That is neither the same nor, where the others are faster, better.
   */
  @Test
  void aFewLateStepsOfOneArmThatCostMuchAreNotPassedOver() {
    Random random = new Random(20_261_202);
    for (int number = 0; number < TRIALS / 10; number++) {
      assertThat(with(random, 1, 4, 5).verdict()).isEqualTo(Verdict.NOT_ENOUGH_DATA);
      assertThat(with(random, 0.98, 4, 5).verdict()).isEqualTo(Verdict.NOT_ENOUGH_DATA);
      assertThat(with(random, 1.02, 4, 5).verdict()).isEqualTo(Verdict.WORSE);
      assertThat(with(random, 1, 4, 1.1).verdict()).isEqualTo(Verdict.SAME);
      assertThat(with(random, 1, 0, 1).reason()).isEmpty();
    }
    assertThat(with(random, 1, 4, 5).reason())
        .matches("with late steps, 0 and 4 of 80, -1\\d\\.\\d+ %");
  }

  /** Speed of an arm that takes so many times as long, and of some steps still longer. */
  private static Judgement with(Random random, double times, int late, double longer) {
    List<Map<Long, ArmSteps.Step>> arms = List.of(new HashMap<>(), new HashMap<>());
    for (int arm = 0; arm < 2; arm++) {
      for (long step = 1; step <= PLAN.last(); step++) {
        double seconds = 0.5 * (1 + 0.003 * random.nextGaussian()) * (arm == 1 ? times : 1);
        boolean isLate = arm == 1 && step % 20 == 10 && step / 20 < late;
        seconds *= isLate ? longer : 1;
        arms.get(arm).put(step, new ArmSteps.Step(8192 / seconds, 1, 1));
      }
    }
    return new Comparison(PLAN, List.of())
        .of(
            new ArmSteps(arms.get(0), 1000),
            new ArmSteps(arms.get(1), 1000),
            Margins.of(List.of()),
            Optional.empty())
        .getFirst();
  }

  /** Speed where the tenth steps of the second arm, or of both, take twice as long. */
  private static Judgement withTenthStep(Random random, int from, Margins margins) {
    List<Map<Long, ArmSteps.Step>> arms = List.of(new HashMap<>(), new HashMap<>());
    for (int arm = 0; arm < 2; arm++) {
      for (long step = 1; step <= PLAN.last(); step++) {
        double seconds = 0.5 * (1 + 0.003 * random.nextGaussian());
        seconds *= arm >= from && step % 10 == 0 ? 2 : 1;
        arms.get(arm).put(step, new ArmSteps.Step(8192 / seconds, 1, 1));
      }
    }
    return new Comparison(PLAN, List.of())
        .of(
            new ArmSteps(arms.get(0), 1000),
            new ArmSteps(arms.get(1), 1000),
            margins,
            Optional.empty())
        .getFirst();
  }
}
