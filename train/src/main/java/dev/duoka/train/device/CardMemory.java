package dev.duoka.train.device;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Segments;
import dev.duoka.tensor.LibraryEnvironment;

/** How LibTorch's allocator keeps a card's memory for a model. */
public final class CardMemory {
  private CardMemory() {}

  /** Must come before LibTorch is loaded. */
  public static void chooseFor(ModelConfig model) {
    if (segments(model) == Segments.GROWING) {
      LibraryEnvironment.letSegmentsGrow();
    }
  }

  /** How it keeps it, unless the user has said how. */
  public static Segments segments(ModelConfig model) {
    return Segments.of(model.moe() != null, model.adapter() != null);
  }
}
