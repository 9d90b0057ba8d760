package dev.duoka.operations.watch;

import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * How many tokens a run has taken up to each step. Steps need not have as many each: a batch ramp
 * or a remedy changes them, so that only their sum tells. A run whose metrics begin later has taken
 * as many in each step before as in the first that is known.
 */
final class TokensTaken {
  private TokensTaken() {}

  /** Puts the sums at the first and the last step of a window, and at the edges of its columns. */
  static void put(ObjectNode json, Series tokens, RunJson.Window window) {
    ArrayNode steps = json.putArray("steps");
    ArrayNode values = json.putArray("values");
    json.putArray("not_a_number");
    if (tokens.isEmpty()) {
      return;
    }
    double width = ((double) window.to() - window.from() + 1) / window.columns();
    double edge = window.from();
    double sum = (tokens.step(0) - 1) * known(tokens.value(0));
    for (int i = 0; i < tokens.size(); i++) {
      sum += known(tokens.value(i));
      long step = tokens.step(i);
      boolean isLast = i == tokens.size() - 1 || tokens.step(i + 1) > window.to();
      if (step >= edge || isLast) {
        steps.add(step);
        values.add(sum);
        edge += Math.max(width, width * Math.floor((step - edge) / width));
      }
      if (isLast) {
        return;
      }
    }
  }

  private static double known(double tokens) {
    return Double.isNaN(tokens) ? 0 : tokens;
  }
}
