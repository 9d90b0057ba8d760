package dev.duoka.train.config;

import dev.duoka.train.config.binding.Doc;

/** Section {@code remedies}: what a supervisor changes when a run fails. */
public record RemedySettings(
    @Doc(
            value =
                "When memory runs out: smaller micro-batches with more accumulation, then"
                    + " recompute, then a higher ZeRO stage, then the optimizer in host memory."
                    + " The tokens of a step stay the same.",
            byDefault = "true")
        boolean outOfMemory,
    @Doc(
            value =
                "End a run whose loss or gradient norm has left its range for twenty steps, and say"
                    + " where that began; a loss that is no number ends it at once.",
            byDefault = "true")
        boolean divergence,
    @Doc(
            value =
                "How often a run that diverges, or whose loss is no number, goes back to the last"
                    + " checkpoint before, leaves out the batches since then, and goes on; from the"
                    + " second time on with half the learning rate. 0 ends it at once.",
            byDefault = "0",
            range = "[0, 8]")
        int goBack,
    @Doc(
            value =
                "Whether the run goes on with the rest when a card is lost: with fewer"
                    + " data-parallel ranks and the same tokens in each step"
                    + " (`parallel.empty_micro_batches`).",
            byDefault = "false")
        boolean lostCard) {}
