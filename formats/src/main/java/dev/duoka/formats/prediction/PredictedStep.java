package dev.duoka.formats.prediction;

import java.util.Map;

/**
 * How long a step takes, as it was predicted; all times are seconds.
 *
 * @param seconds of a step
 * @param low of one that goes unusually well
 * @param high of one that goes badly
 * @param floor the least time in which its devices could take it; NaN where nobody says
 * @param byCause where they go
 * @param exposed by group of ranks, how long nothing is done but exchange
 * @param source what predicted it, in words
 */
public record PredictedStep(
    double seconds,
    double low,
    double high,
    double floor,
    Map<String, Double> byCause,
    Map<String, Double> exposed,
    String source) {
  public PredictedStep {
    byCause = Map.copyOf(byCause);
    exposed = Map.copyOf(exposed);
  }
}
