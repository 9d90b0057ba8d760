package dev.duoka.train.loop;

import java.nio.file.Path;
import java.util.OptionalDouble;

/**
 * How a run ended.
 *
 * @param loss mean training loss of the last steps that a progress line covers
 * @param validationLoss of the last evaluation; empty where nothing was held out
 * @param steps steps taken in total, earlier sessions of the run included
 * @param tokensPerSecond median over the steps of this session
 * @param mfu at that speed; NaN where the device's peak is unknown
 * @param peakMemoryBytes the most memory that this process used: on a GPU the largest rank's
 *     tensors, on the CPU the process as the operating system counts it
 * @param runDir everything the run wrote
 * @param interrupted whether it was stopped before its end
 */
public record RunResult(
    double loss,
    OptionalDouble validationLoss,
    long steps,
    double tokensPerSecond,
    double mfu,
    long peakMemoryBytes,
    Path runDir,
    boolean interrupted) {}
