package dev.duoka.train.config;

import java.util.ArrayList;
import java.util.List;

/** What else changes each time that a run which diverges goes back. */
public final class DivergenceRemedies {
  private DivergenceRemedies() {}

  /** What to override in the run file: nothing the first time, then half the rate each time. */
  public static List<List<String>> of(RunConfig config) {
    List<List<String>> ways = new ArrayList<>();
    double rate = config.optimizer().learningRate();
    for (int time = 0; time < config.remedies().goBack(); time++) {
      ways.add(time == 0 ? List.of() : List.of("optimizer.learning_rate=" + rate));
      rate /= 2;
    }
    return ways;
  }
}
