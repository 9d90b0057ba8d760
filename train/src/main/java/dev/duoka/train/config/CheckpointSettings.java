package dev.duoka.train.config;

import dev.duoka.train.config.binding.Doc;

/** Section {@code checkpoint}: when the state of the run is saved and how long it is kept. */
public record CheckpointSettings(
    @Doc(
            value = "A checkpoint is written after every so many steps; 0 for none on the way.",
            unit = "steps",
            byDefault = "100",
            range = "[0, 1000000000]")
        int everySteps,
    @Doc(
            value = "The newest so many checkpoints are kept.",
            unit = "checkpoints",
            byDefault = "3",
            range = "[1, 1000000]")
        int keep,
    @Doc(
            value =
                "Checkpoints at multiples of so many steps are kept for good; 0 for none. A"
                    + " multiple of `every_steps`.",
            unit = "steps",
            byDefault = "0",
            range = "[0, 1000000000]")
        int keepEvery,
    @Doc(name = "final", value = "Write a checkpoint after the last step.", byDefault = "true")
        boolean atEnd) {}
