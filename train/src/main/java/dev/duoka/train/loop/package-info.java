/**
 * The training loop.
 *
 * <p>Read {@link dev.duoka.train.loop.Trainer} first (a run from its configuration to its result),
 * then {@link dev.duoka.train.loop.RankTrainer} (what one rank does, step after step) and {@link
 * dev.duoka.train.loop.TrainingStep} (one optimizer step).
 */
package dev.duoka.train.loop;
