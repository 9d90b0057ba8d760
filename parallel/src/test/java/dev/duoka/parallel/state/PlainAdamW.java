package dev.duoka.parallel.state;

import dev.duoka.engine.optimizer.AdamWSettings;

/** AdamW with clipping by the global norm, in double, read from its papers. */
final class PlainAdamW {
  private final AdamWSettings settings;
  final double[] weights;
  private final double[] first;
  private final double[] second;
  private int steps;

  PlainAdamW(AdamWSettings settings, double[] weights) {
    this.settings = settings;
    this.weights = weights.clone();
    this.first = new double[weights.length];
    this.second = new double[weights.length];
  }

  /** Updates the weights; returns the gradients' norm before clipping. */
  double step(double rate, double[] gradients) {
    double squares = 0;
    for (double gradient : gradients) {
      squares += gradient * gradient;
    }
    double norm = Math.sqrt(squares);
    double clip = settings.clipNorm() > 0 ? Math.min(1, settings.clipNorm() / norm) : 1;
    steps++;
    for (int i = 0; i < weights.length; i++) {
      double gradient = clip * gradients[i];
      first[i] += (1 - settings.beta1()) * (gradient - first[i]);
      second[i] += (1 - settings.beta2()) * (gradient * gradient - second[i]);
      double mean = first[i] / (1 - Math.pow(settings.beta1(), steps));
      double variance = second[i] / (1 - Math.pow(settings.beta2(), steps));
      weights[i] -=
          rate
              * (mean / (Math.sqrt(variance) + settings.epsilon())
                  + settings.weightDecay() * weights[i]);
    }
    return norm;
  }
}
