package dev.duoka.planner.memory;

import dev.duoka.layout.GradientForm;
import dev.duoka.layout.Layout;
import dev.duoka.layout.Method;
import dev.duoka.layout.Precision;
import dev.duoka.layout.StateForm;

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
  public static final double FOUR_BIT = 0.52;

  /** The bytes of a layout. */
  public static StateBytes of(Layout layout) {
    return of(layout.precision(), layout.method(), layout.states());
  }

  /** The bytes of a method under some arithmetic, with states in some form. */
  public static StateBytes of(Precision precision, Method method, StateForm form) {
    double weight = precision.bytes();
    double gradient = form.gradients() == GradientForm.BF16 ? 2 : 4;
    double optimizer = form.bytesPerWeight(precision) - weight - gradient;
    return new StateBytes(weight, gradient, optimizer, method == Method.QLORA ? FOUR_BIT : weight);
  }

  /** All of a trained weight. */
  public double all() {
    return weight + gradient + optimizer;
  }
}
