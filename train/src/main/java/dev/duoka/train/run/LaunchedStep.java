package dev.duoka.train.run;

import dev.duoka.comm.ExposedTime;
import dev.duoka.parallel.step.TrainingStep;
import dev.duoka.train.step.ExpertBalance;
import org.jspecify.annotations.Nullable;

/**
 * A step that was launched, and what its report needs.
 *
 * @param number of the step, from 1
 * @param scale what the loss was multiplied by
 * @param dataSeconds spent waiting for the batch
 * @param experts how evenly they were used, if it was measured
 * @param exposed the time of exchange that nothing hid, when it is there; null if not measured
 * @param pending its numbers, when they are there
 */
record LaunchedStep(
    long number,
    double learningRate,
    double scale,
    double dataSeconds,
    ExpertBalance experts,
    ExposedTime.@Nullable Recording exposed,
    TrainingStep.PendingStep pending) {}
