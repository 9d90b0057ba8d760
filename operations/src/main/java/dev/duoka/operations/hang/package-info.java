/**
 * Ranks that do not get further: {@link dev.duoka.operations.hang.HangWatch} notices, by their
 * heartbeats and the ledgers of their exchanges, and {@link
 * dev.duoka.operations.hang.HangExplanation} says which rank never came and what it does. The ranks
 * are not asked: both read files, and what the kernel and the JVM show.
 */
@NullMarked
package dev.duoka.operations.hang;

import org.jspecify.annotations.NullMarked;
