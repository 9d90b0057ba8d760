/**
 * Ranks and what they do together. A rank is a thread with a model of its own; {@link
 * dev.duoka.engine.parallel.RankGroup} starts them, {@link dev.duoka.engine.parallel.Collectives}
 * is how they exchange tensors.
 */
package dev.duoka.engine.parallel;
