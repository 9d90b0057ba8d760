package dev.duoka.train.config;

import dev.duoka.train.config.binding.Doc;

/** Section {@code remedies}: what a supervisor changes when a run fails. */
public record RemedySettings(
    @Doc(
            value =
                "When memory runs out: smaller micro-batches with more accumulation, then"
                    + " recompute, then the optimizer in host memory. The tokens of a step stay"
                    + " the same.",
            byDefault = "true")
        boolean outOfMemory,
    @Doc(
            value =
                "End a run whose loss or gradient norm has left its range for twenty steps, and say"
                    + " where that began; a loss that is no number always ends it.",
            byDefault = "true")
        boolean divergence) {}
