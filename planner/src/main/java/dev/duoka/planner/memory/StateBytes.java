package dev.duoka.planner.memory;

import dev.duoka.layout.Method;
import dev.duoka.layout.Precision;
import dev.duoka.planner.layout.EngineTraits;

/**
 * Bytes per parameter of what training keeps.
 *
 * @param weight of a trained weight
 * @param gradient of its main gradient
 * @param optimizer of its moments and master weight
 * @param frozen of a weight that is not trained
 */
public record StateBytes(double weight, double gradient, double optimizer, double frozen) {
  /** 4-bit weights with their scales. */
  private static final double FOUR_BIT = 0.52;

  /** The bytes of a method under some arithmetic. */
  public static StateBytes of(Precision precision, Method method, EngineTraits engine) {
    boolean wide = !precision.hasMasterWeights();
    double weight = wide ? 4 : 2;
    double gradient = wide ? 4 : engine.gradientBytes();
    double master = wide ? 0 : 4;
    return switch (method) {
      case FULL -> new StateBytes(weight, gradient, master + 8, weight);
      case FULL_8BIT -> new StateBytes(weight, gradient, master + 2.02, weight);
      case LORA -> new StateBytes(weight, gradient, master + 8, weight);
      case QLORA -> new StateBytes(weight, gradient, master + 8, FOUR_BIT);
    };
  }
}
