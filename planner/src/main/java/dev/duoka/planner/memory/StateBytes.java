package dev.duoka.planner.memory;

import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.GradientForm;
import dev.duoka.layout.Layout;
import dev.duoka.layout.Method;
import dev.duoka.layout.Precision;
import dev.duoka.layout.StateForm;
import dev.duoka.parallel.dryrun.DryRunJob;

/**
 * Bytes per parameter of what training keeps.
 *
 * @param weight of a trained weight
 * @param gradient of its main gradient
 * @param optimizer of its moments and master weight
 * @param frozen of a weight that is not trained
 */
public record StateBytes(double weight, double gradient, double optimizer, double frozen) {
  /** 4-bit weights with a scale of 8 bits for 64 of them, and one of 32 for 256 of those. */
  private static final double FOUR_BIT = 0.52;

  /** With scales of 32 bits. */
  private static final double FOUR_BIT_SINGLE = 0.5625;

  /** The bytes of a layout of a model. */
  public static StateBytes of(Layout layout, ModelConfig model) {
    StateBytes dense = of(layout.precision(), layout.states());
    return layout.method() == Method.QLORA
        ? new StateBytes(
            dense.weight, dense.gradient, dense.optimizer, fourBit(model, layout.method()))
        : dense;
  }

  private static double fourBit(ModelConfig model, Method method) {
    return DryRunJob.adapter(model, method).baseForm() == BaseForm.NF4_SINGLE
        ? FOUR_BIT_SINGLE
        : FOUR_BIT;
  }

  /** The bytes under some arithmetic, with states in some form, of frozen weights as of others. */
  public static StateBytes of(Precision precision, StateForm form) {
    double weight = precision.bytes();
    double gradient = form.gradients() == GradientForm.BF16 ? 2 : 4;
    double optimizer = form.bytesPerWeight(precision) - weight - gradient;
    return new StateBytes(weight, gradient, optimizer, weight);
  }

  /** The same where masters of weights in bf16 are copies in fp32, of 4 bytes for 2. */
  public StateBytes withMasterCopies(Layout layout) {
    boolean more =
        layout.states().keepsMasterOf(layout.precision()) && layout.precision() != Precision.FP16;
    return new StateBytes(weight, gradient, optimizer + (more ? 2 : 0), frozen);
  }

  /** All of a trained weight. */
  public double all() {
    return weight + gradient + optimizer;
  }
}
