package dev.duoka.data.training;

import dev.duoka.data.batch.SequenceSet;

/**
 * What is held out of one source.
 *
 * @param name of the source
 * @param sequences of its held-out documents, in their fixed order
 */
public record NamedSequences(String name, SequenceSet sequences) {}
