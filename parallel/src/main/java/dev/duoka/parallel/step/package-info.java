/**
 * One training step, on any device: {@link dev.duoka.parallel.step.TrainingRank} is what a rank
 * allocates, {@link dev.duoka.parallel.step.TrainingStep} runs its schedule by a {@link
 * dev.duoka.parallel.step.ScheduleExecutor} and updates the weights. Trainer, benchmarks, parity
 * and dry runs all go through here.
 */
@NullMarked
package dev.duoka.parallel.step;

import org.jspecify.annotations.NullMarked;
