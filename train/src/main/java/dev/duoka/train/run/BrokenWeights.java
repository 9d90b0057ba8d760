package dev.duoka.train.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.weight.Weight;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Views;

/**
 * Looks for weights that are no numbers, where a step gave none. A step whose gradients are not
 * finite leaves the weights as they were, so such weights were there before it.
 */
final class BrokenWeights {
  private BrokenWeights() {}

  /**
   * Blames the weights where one of them is not finite. Reads them back, and so waits for the
   * device.
   *
   * @param step that failed
   */
  static void refuse(LanguageModel model, long step) {
    for (Weight weight : model.weights()) {
      if (!weight.parameter().<Boolean>with(BrokenWeights::isFinite)) {
        throw new DuokaException(
            ErrorCode.NUMERICS,
            "step "
                + step
                + " gave no number because the weight "
                + weight.spec().name()
                + " holds values that are not finite",
            "Check the weights that the run began with (model.path or the checkpoint): copy them"
                + " again, or take an earlier checkpoint");
      }
    }
  }

  private static boolean isFinite(Tensor values) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor flat = Views.reshape(values, -1);
      // Both carry a NaN on, and an infinity is the least or the largest.
      return Double.isFinite(HostCopy.item(Reductions.min(flat, false)))
          && Double.isFinite(HostCopy.item(Reductions.max(flat, false)));
    }
  }
}
