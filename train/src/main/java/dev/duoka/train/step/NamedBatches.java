package dev.duoka.train.step;

import dev.duoka.data.batch.ValidationBatches;

/** What is held out of one source, a rank's share. */
public record NamedBatches(String name, ValidationBatches batches) {}
