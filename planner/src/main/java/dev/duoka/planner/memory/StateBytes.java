package dev.duoka.planner.memory;

import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.GradientForm;
import dev.duoka.layout.Layout;
import dev.duoka.layout.Method;
import dev.duoka.layout.Precision;
import dev.duoka.layout.StateForm;
import dev.duoka.parallel.dryrun.DryRunJob;
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
  /** 4-bit weights with a scale of 8 bits for 64 of them, and one of 32 for 256 of those. */
  private static final double FOUR_BIT = 0.52;

  /** A master in fp32 is 4 bytes beside its weight, what bf16 leaves of it 2. */
  private static final double MORE_OF_COPIES = 2;

  /** With scales of 32 bits. */
  private static final double FOUR_BIT_SINGLE = 0.5625;

  /** The bytes of a layout of a model, as a program keeps them. */
  public static StateBytes of(Layout layout, ModelConfig model, EngineTraits engine) {
    StateBytes dense = of(layout.precision(), layout.states());
    double frozen =
        layout.method() == Method.QLORA ? fourBit(model, layout.method()) : dense.frozen;
    boolean copies = engine.copiesMasters() && layout.states().keepsMasterOf(layout.precision());
    boolean more = copies && layout.precision() != Precision.FP16; // where all keep copies
    return new StateBytes(
        dense.weight, dense.gradient, dense.optimizer + (more ? MORE_OF_COPIES : 0), frozen);
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

  /** All of a trained weight. */
  public double all() {
    return weight + gradient + optimizer;
  }
}
