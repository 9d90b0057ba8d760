package dev.duoka.train.config;

import dev.duoka.base.Plural;
import dev.duoka.train.config.binding.Doc;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/** Section {@code schedule}: how the learning rate moves over the run. */
public record ScheduleSettings(
    @Doc(
            value =
                "`cosine` falls to `final_fraction` along half a cosine, `linear` along a straight"
                    + " line; `warmup_stable_decay` stays at the peak and falls over the last steps"
                    + " only, so that a run can be made longer before its decay begins (MiniCPM);"
                    + " `multi_step` falls to 0.316 of the peak after 80 % of the steps and to 0.1"
                    + " after 90 % (DeepSeek-LLM); `constant` stays at the peak.",
            byDefault = "cosine")
        Kind kind,
    @Doc(
            value = "Steps of linear warm-up from zero to the peak; 0 for none.",
            unit = "steps",
            byDefault = "0",
            range = "[0, 1000000000]")
        long warmupSteps,
    @Doc(
            value =
                "Learning rate of the last step as a fraction of the peak; `cosine`, `linear` and"
                    + " `warmup_stable_decay` only.",
            whenAbsent = "0.1",
            range = "[0, 1]")
        OptionalDouble finalFraction,
    @Doc(
            value =
                "Length of the decay as a fraction of the run, rounded up to whole steps;"
                    + " `warmup_stable_decay` only.",
            whenAbsent = "`decay_steps`, or 0.1",
            range = "(0, 1]")
        OptionalDouble decayFraction,
    @Doc(
            value = "Length of the decay in steps; `warmup_stable_decay` only.",
            unit = "steps",
            whenAbsent = "`decay_fraction` decides",
            range = "[1, 1000000000]")
        OptionalLong decaySteps,
    @Doc(
            value =
                "How the rate falls while the part p of the decay goes by: `linear` as 1 − p,"
                    + " `cosine` as (1 + cos πp) / 2, `sqrt` as 1 − √p (Hägele et al., 2024);"
                    + " `warmup_stable_decay` only.",
            whenAbsent = "`sqrt`")
        Optional<DecayShape> decayShape) {

  /** The shape of the learning rate after the warm-up. */
  public enum Kind {
    /** Half a cosine down to a fraction of the peak. */
    COSINE,
    /** A straight line down to a fraction of the peak. */
    LINEAR,
    /** The peak, and a decay over the last steps. */
    WARMUP_STABLE_DECAY,
    /** Two drops, at 80 % and 90 % of the steps. */
    MULTI_STEP,
    /** The peak throughout. */
    CONSTANT;

    /** Whether the last step has a fraction of the peak that the run file chooses. */
    boolean hasFinalFraction() {
      return switch (this) {
        case COSINE, LINEAR, WARMUP_STABLE_DECAY -> true;
        case MULTI_STEP, CONSTANT -> false;
      };
    }
  }

  /** How the learning rate falls in a decay, of which the part p is over after a step. */
  public enum DecayShape {
    /** As {@code 1 − p}. */
    LINEAR,
    /** As half a cosine, {@code (1 + cos πp) / 2} (Loshchilov and Hutter, 2017). */
    COSINE,
    /** As {@code 1 − √p} (Hägele et al., arXiv:2405.18392). */
    SQRT;

    /**
     * What is left of the fall.
     *
     * @param progress p, from 0 to 1
     */
    public double left(double progress) {
      return switch (this) {
        case LINEAR -> 1 - progress;
        case COSINE -> 0.5 * (1 + Math.cos(Math.PI * progress));
        case SQRT -> 1 - Math.sqrt(progress);
      };
    }
  }

  /**
   * Steps of the decay in a run of so many: {@link #decaySteps}, or {@link #decayFraction} of them
   * and at least one.
   */
  public long decayLength(long totalSteps) {
    return decaySteps.orElseGet(
        () ->
            Math.max(
                1,
                BigDecimal.valueOf(decayFraction.orElse(0.1)) // in decimals: 0.1 of 70 is 7
                    .multiply(BigDecimal.valueOf(totalSteps))
                    .setScale(0, RoundingMode.CEILING)
                    .longValueExact()));
  }

  /** What does not fit into a run of so many steps: its warm-up, or that and its decay. */
  public Optional<FieldProblem> misfit(long steps) {
    String length = "the run's " + Plural.of(steps, "step");
    if (warmupSteps >= steps) {
      return Optional.of(
          new FieldProblem(
              "schedule.warmup_steps",
              "schedule.warmup_steps " + warmupSteps + " leaves nothing of " + length,
              "Nearest valid: " + (steps - 1) + "."));
    }
    if (kind != Kind.WARMUP_STABLE_DECAY || decayLength(steps) + warmupSteps <= steps) {
      return Optional.empty();
    }
    return Optional.of(
        new FieldProblem(
            decaySteps.isPresent() ? "schedule.decay_steps" : "schedule.decay_fraction",
            "a warm-up of "
                + Plural.of(warmupSteps, "step")
                + " and a decay of "
                + decayLength(steps)
                + " do not fit into "
                + length,
            "Shorten one of them, or train longer."));
  }
}
