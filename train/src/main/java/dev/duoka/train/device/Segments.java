package dev.duoka.train.device;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.tensor.LibraryEnvironment;

/** How LibTorch's allocator keeps a card's memory for a model. */
public final class Segments {
  private Segments() {}

  /**
   * Lets segments grow where tensors of ever other sizes come and go: rows of experts, and weights
   * that are made for the while of a product. Must come before LibTorch is loaded.
   */
  public static void chooseFor(ModelConfig model) {
    if (areToGrow(model)) {
      LibraryEnvironment.letSegmentsGrow();
    }
  }

  static boolean areToGrow(ModelConfig model) {
    return model.moe() != null || model.adapter() != null;
  }
}
