/**
 * A run from its configuration to its result.
 *
 * <p>Read {@link dev.duoka.train.run.Trainer} first, then {@code Session} and {@code RankSession}
 * (what happens between start and end, on all ranks and on one), and {@code RankTrainer} (what one
 * rank does, step after step); one step is {@link dev.duoka.parallel.step.TrainingStep}.
 */
package dev.duoka.train.run;
