/**
 * Pairs of answers to one question, of which the first is preferred: reading and encoding. Start
 * with {@link PairRecords}.
 */
@NullMarked
package dev.duoka.data.pair;

import org.jspecify.annotations.NullMarked;
