/**
 * A run from its configuration to its result.
 *
 * <p>Read {@link dev.duoka.train.run.Trainer} first, then {@link dev.duoka.train.run.RankTrainer}
 * (what one rank does, step after step); one step is {@link dev.duoka.parallel.step.TrainingStep}.
 */
package dev.duoka.train.run;
