package dev.duoka.train.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.config.ScheduleSettings.DecayShape;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every expected value is worked out by hand from the formula in the comment beside it. */
final class LearningRateScheduleTests {
  private static final double EXACT = 1e-15;

  @Test
  void warmsUpLinearlyAndReachesThePeakAtItsEnd() {
    LearningRateSchedule schedule = new Constant(new Warmup(0.4, 4));
    assertThat(schedule.rate(0)).isCloseTo(0.1, within(EXACT));
    assertThat(schedule.rate(1)).isCloseTo(0.2, within(EXACT));
    assertThat(schedule.rate(3)).isCloseTo(0.4, within(EXACT));
    assertThat(schedule.rate(4)).isEqualTo(0.4);
    assertThat(schedule.rate(1_000_000)).isEqualTo(0.4);
  }

  @Test
  void cosineFallsToTheFinalFractionAtTheLastStep() {
    // 2 steps of warm-up, then 4 steps: progress 1/4, 2/4, 3/4, 1.
    LearningRateSchedule schedule = new Cosine(new Warmup(1.0, 2), 0.1, 6);
    assertThat(schedule.rate(1)).isEqualTo(1.0);
    // 0.1 + 0.9 × (1 + cos 45°) / 2 = 0.1 + 0.9 × 0.8535533905932737
    assertThat(schedule.rate(2)).isCloseTo(0.8681980515339464, within(EXACT));
    assertThat(schedule.rate(3)).isCloseTo(0.55, within(EXACT)); // 0.1 + 0.9 / 2
    assertThat(schedule.rate(4)).isCloseTo(0.2318019484660536, within(EXACT));
    assertThat(schedule.rate(5)).isCloseTo(0.1, within(EXACT));
    assertThat(schedule.rate(9)).isCloseTo(0.1, within(EXACT));
  }

  @Test
  void multiStepDropsAtEightyAndNinetyPercent() {
    LearningRateSchedule schedule = new MultiStep(new Warmup(4.2e-4, 1), 10);
    assertThat(schedule.rate(0)).isEqualTo(4.2e-4);
    assertThat(schedule.rate(7)).isEqualTo(4.2e-4);
    assertThat(schedule.rate(8)).isCloseTo(1.3272e-4, within(EXACT));
    assertThat(schedule.rate(9)).isCloseTo(4.2e-5, within(EXACT));
    assertThat(schedule.rate(10)).isCloseTo(4.2e-5, within(EXACT));
  }

  @Test
  void linearFallsToTheFinalFractionAtTheLastStep() {
    // 2 steps of warm-up, then 4 steps, each a quarter of the way from 1 to 0.2.
    LearningRateSchedule schedule = new Linear(new Warmup(1.0, 2), 0.2, 6);
    assertThat(schedule.rate(0)).isCloseTo(0.5, within(EXACT));
    assertThat(schedule.rate(1)).isEqualTo(1.0);
    assertThat(schedule.rate(2)).isCloseTo(0.8, within(EXACT));
    assertThat(schedule.rate(3)).isCloseTo(0.6, within(EXACT));
    assertThat(schedule.rate(4)).isCloseTo(0.4, within(EXACT));
    assertThat(schedule.rate(5)).isCloseTo(0.2, within(EXACT));
    assertThat(schedule.rate(9)).isCloseTo(0.2, within(EXACT));
    assertThat(new Linear(new Warmup(1.0, 0), 0, 4).rate(3)).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    // 0.1 + 0.9 × (1 − p) for p = 1/4, 2/4, 3/4, 1
    "LINEAR, 0.775, 0.55, 0.325",
    // 0.1 + 0.9 × (1 + cos πp) / 2
    "COSINE, 0.8681980515339464, 0.55, 0.2318019484660536",
    // 0.1 + 0.9 × (1 − √p), √2 = 1.4142135623730951, √3 = 1.7320508075688772
    "SQRT, 0.55, 0.3636038969321072, 0.2205771365940051",
  })
  void warmupStableDecayFallsOverItsLastSteps(DecayShape shape, double a, double b, double c) {
    LearningRateSchedule schedule =
        new WarmupStableDecay(new Warmup(2.0, 2), new Decay(6, 10, shape, 0.1));
    assertThat(schedule.rate(0)).isCloseTo(1.0, within(EXACT));
    for (int step = 1; step < 6; step++) {
      assertThat(schedule.rate(step)).isEqualTo(2.0);
    }
    assertThat(schedule.rate(6)).isCloseTo(2 * a, within(EXACT));
    assertThat(schedule.rate(7)).isCloseTo(2 * b, within(EXACT));
    assertThat(schedule.rate(8)).isCloseTo(2 * c, within(EXACT));
    assertThat(schedule.rate(9)).isCloseTo(0.2, within(EXACT));
    assertThat(schedule.rate(12)).isCloseTo(0.2, within(EXACT));
  }

  @Test
  void aRunThatIsMadeLongerBeforeItsDecayHasHadTheSameRates() {
    String settings = "{kind: warmup_stable_decay, warmup_steps: 10, decay_fraction: 0.15}";
    LearningRateSchedule planned = scheduleOf(settings, 100);
    LearningRateSchedule longer = scheduleOf(settings, 400);
    for (int step = 0; step < 85; step++) {
      assertThat(longer.rate(step)).isEqualTo(planned.rate(step));
    }
    assertThat(planned.rate(85)).isLessThan(longer.rate(85));
    assertThat(longer.rate(339)).isEqualTo(3e-4);
    assertThat(longer.rate(340)).isLessThan(3e-4);
  }

  @Test
  void theDecayIsAWholeNumberOfSteps() {
    assertThat(decayLength("decay_fraction: 0.1", 70)).isEqualTo(7);
    assertThat(decayLength("decay_fraction: 0.1", 71)).isEqualTo(8);
    assertThat(decayLength("decay_fraction: 0.001", 71)).isEqualTo(1);
    assertThat(decayLength("decay_fraction: 1", 71)).isEqualTo(71);
    assertThat(decayLength("decay_steps: 30", 71)).isEqualTo(30);
    assertThat(decayLength("decay_shape: sqrt", 71)).isEqualTo(8); // a tenth, unless said
  }

  private static long decayLength(String settings, long steps) {
    return config("{kind: warmup_stable_decay, " + settings + "}").schedule().decayLength(steps);
  }

  @Test
  void aDecayBeginsBehindTheWarmup() {
    // 12 steps for a warm-up of 10 and a decay of 6, which only a run measured in epochs can have.
    String settings = "{kind: warmup_stable_decay, warmup_steps: 10, decay_steps: 6}";
    assertThat(scheduleOf(settings, 12))
        .isEqualTo(
            new WarmupStableDecay(new Warmup(3e-4, 10), new Decay(10, 12, DecayShape.SQRT, 0.1)));
  }

  @Test
  void aRunFileChoosesTheSchedule() {
    assertThat(scheduleOf("{kind: linear, final_fraction: 0}"))
        .isEqualTo(new Linear(new Warmup(3e-4, 0), 0, 100));
    assertThat(
            scheduleOf(
                "{kind: warmup_stable_decay, decay_shape: cosine, decay_steps: 25,"
                    + " final_fraction: 0.05}"))
        .isEqualTo(
            new WarmupStableDecay(
                new Warmup(3e-4, 0), new Decay(75, 100, DecayShape.COSINE, 0.05)));
    assertThat(scheduleOf("{kind: cosine, warmup_steps: 3}"))
        .isEqualTo(new Cosine(new Warmup(3e-4, 3), 0.1, 100));
    assertThat(scheduleOf("{kind: multi_step}")).isEqualTo(new MultiStep(new Warmup(3e-4, 0), 100));
    assertThat(scheduleOf("{kind: constant}")).isEqualTo(new Constant(new Warmup(3e-4, 0)));
  }

  private static LearningRateSchedule scheduleOf(String settings) {
    return scheduleOf(settings, 100);
  }

  private static LearningRateSchedule scheduleOf(String settings, long steps) {
    RunConfig config = config(settings);
    return LearningRateSchedule.of(config.schedule(), config.optimizer(), steps);
  }

  private static RunConfig config(String settings) {
    return RunFile.parse(
        "run.yaml",
        """
        model: {preset: tiny}
        data: {sources: [a], sequence_length: 8}
        training: {tokens_per_step: 8, steps: 100}
        """,
        List.of("schedule=" + settings));
  }
}
