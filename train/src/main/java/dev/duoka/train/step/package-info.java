/**
 * What a run adds to a rank's training: {@link dev.duoka.train.step.RankBuilder} makes model,
 * optimizer and step ({@link dev.duoka.parallel.step.TrainingRank}) as the run file says, {@link
 * dev.duoka.train.step.RankState} holds them with the held-out data, {@link
 * dev.duoka.train.step.StepMetrics} is what is known of a step afterwards.
 */
package dev.duoka.train.step;
