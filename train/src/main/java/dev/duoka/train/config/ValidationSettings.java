package dev.duoka.train.config;

import dev.duoka.train.config.binding.Doc;

/** Section {@code validation}: when the loss on held-out documents is measured. */
public record ValidationSettings(
    @Doc(
            value =
                "The validation loss is measured after every so many steps, and always after the"
                    + " last; 0 switches it off.",
            unit = "steps",
            byDefault = "100",
            range = "[0, 1000000000]")
        int everySteps,
    @Doc(
            value = "Sequences it is measured on; the same ones each time.",
            unit = "sequences",
            byDefault = "64",
            range = "[1, 1000000000]")
        int sequences) {}
