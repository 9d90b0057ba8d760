package dev.duoka.train.config;

import dev.duoka.train.config.binding.Doc;

/** Section {@code parallel}: how the work is spread over ranks. */
public record ParallelSettings(
    @Doc(
            value = "Data-parallel ranks; each computes its share of every batch.",
            unit = "ranks",
            byDefault = "1",
            range = "[1, 1024]")
        int data,
    @Doc(
            value =
                "ZeRO stage: 0 keeps the optimizer state on every rank, 1 shards it over the"
                    + " data-parallel ranks.",
            byDefault = "0",
            range = "[0, 1]")
        int zero) {}
