package dev.duoka.train.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import java.util.List;
import org.junit.jupiter.api.Test;

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
  void aRunFileChoosesTheSchedule() {
    assertThat(scheduleOf("{kind: cosine, warmup_steps: 3}"))
        .isEqualTo(new Cosine(new Warmup(3e-4, 3), 0.1, 100));
    assertThat(scheduleOf("{kind: multi_step}")).isEqualTo(new MultiStep(new Warmup(3e-4, 0), 100));
    assertThat(scheduleOf("{kind: constant}")).isEqualTo(new Constant(new Warmup(3e-4, 0)));
  }

  private static LearningRateSchedule scheduleOf(String settings) {
    RunConfig config =
        RunFile.parse(
            "run.yaml",
            """
            model: {preset: tiny}
            data: {sources: [a], sequence_length: 8}
            training: {tokens_per_step: 8, steps: 100}
            """,
            List.of("schedule=" + settings));
    return LearningRateSchedule.of(config.schedule(), config.optimizer(), 100);
  }
}
