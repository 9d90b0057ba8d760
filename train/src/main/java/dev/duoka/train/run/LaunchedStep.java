package dev.duoka.train.run;

import dev.duoka.parallel.step.TrainingStep;
import dev.duoka.train.step.StepMetrics;
import java.util.List;

/**
 * A step that was launched, and what its report needs.
 *
 * @param number of the step, from 1
 * @param scale what the loss was multiplied by
 * @param dataSeconds spent waiting for the batch
 * @param ranges of the gradients; empty except now and then
 * @param pending its numbers, when they are there
 */
record LaunchedStep(
    long number,
    double learningRate,
    double scale,
    double dataSeconds,
    List<StepMetrics.GradientRange> ranges,
    TrainingStep.PendingStep pending) {}
