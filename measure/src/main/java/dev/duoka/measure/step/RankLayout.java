package dev.duoka.measure.step;

import dev.duoka.train.config.TrainingSettings;

/**
 * A layout as one of its ranks has it.
 *
 * @param data data-parallel ranks
 * @param zero ZeRO stage
 * @param microBatch sequences that a rank computes at once
 * @param length tokens in a sequence
 */
public record RankLayout(
    TrainingSettings.Precision precision,
    TrainingSettings.Recompute recompute,
    int data,
    int zero,
    int microBatch,
    int length) {}
