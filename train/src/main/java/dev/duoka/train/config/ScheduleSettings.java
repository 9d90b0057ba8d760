package dev.duoka.train.config;

import dev.duoka.train.config.binding.Doc;
import java.util.OptionalDouble;

/** Section {@code schedule}: how the learning rate moves over the run. */
public record ScheduleSettings(
    @Doc(
            value =
                "`cosine` falls to `final_fraction` along half a cosine; `multi_step` falls to"
                    + " 0.316 of the peak after 80 % of the steps and to 0.1 after 90 %"
                    + " (DeepSeek-LLM); `constant` stays at the peak.",
            byDefault = "cosine")
        Kind kind,
    @Doc(
            value = "Steps of linear warm-up from zero to the peak; 0 for none.",
            unit = "steps",
            byDefault = "0",
            range = "[0, 1000000000]")
        long warmupSteps,
    @Doc(
            value = "Learning rate of the last step as a fraction of the peak; `cosine` only.",
            whenAbsent = "0.1",
            range = "[0, 1]")
        OptionalDouble finalFraction) {

  /** The shape of the learning rate after the warm-up. */
  public enum Kind {
    /** Half a cosine down to a fraction of the peak. */
    COSINE,
    /** Two drops, at 80 % and 90 % of the steps. */
    MULTI_STEP,
    /** The peak throughout. */
    CONSTANT
  }
}
