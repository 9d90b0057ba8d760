package dev.duoka.experiment.ladder;

import java.util.Optional;

/**
 * How fast a rung is.
 *
 * @param seconds of a step, measured
 * @param predicted seconds of a step; NaN where nothing was predicted
 * @param tokensPerSecond of all ranks
 * @param ofPrediction the measured speed as a share of the predicted one; empty where nothing was
 *     predicted
 * @param efficiency a card's speed as a share of that on the first rung that holds the model; empty
 *     on that rung, and where ranks share a card
 */
public record RungSpeed(
    double seconds,
    double predicted,
    double tokensPerSecond,
    Optional<Share> ofPrediction,
    Optional<Share> efficiency) {}
