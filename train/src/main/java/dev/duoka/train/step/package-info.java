/**
 * What one rank does in a step: {@link dev.duoka.train.step.TrainingStep} computes one, {@link
 * dev.duoka.train.step.RankBuilder} makes what it needs, {@link dev.duoka.train.step.StepMetrics}
 * is what is known of it afterwards.
 */
package dev.duoka.train.step;
