package dev.duoka.train.config;

import dev.duoka.train.config.binding.Doc;

/** Section {@code logging}: how often the run reports. */
public record LoggingSettings(
    @Doc(
            value =
                "A progress line is printed every so many steps; `metrics.jsonl` has every step.",
            unit = "steps",
            byDefault = "10",
            range = "[1, 1000000000]")
        int everySteps,
    @Doc(
            value =
                "The range of the gradients of each layer goes to `metrics.jsonl` every so many"
                    + " steps, and half as often each time that a run doubles beyond 2000 of"
                    + " them; 0 for never.",
            unit = "steps",
            byDefault = "10",
            range = "[0, 1000000000]")
        int gradientRangeEvery) {}
