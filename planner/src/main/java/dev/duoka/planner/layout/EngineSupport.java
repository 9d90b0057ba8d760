package dev.duoka.planner.layout;

import dev.duoka.hardware.Machine;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import java.util.ArrayList;
import java.util.List;

/**
 * Which layouts are answered from the engine's own dry run: the one place to change when more are.
 * The engine runs several that are not yet counted here.
 */
public final class EngineSupport {
  private EngineSupport() {}

  /** What is not counted of a layout on a machine; empty where a plan writes its run file. */
  public static List<String> missing(Layout layout, Machine machine) {
    List<String> missing = new ArrayList<>();
    if (!machine.card().isNvidia()) {
      missing.add("cards of this vendor");
    }
    if (layout.tensor() > 1) {
      missing.add("tensor parallelism");
    }
    if (layout.pipeline() > 1) {
      missing.add("pipeline parallelism");
    }
    if (layout.expert() > 1) {
      missing.add("expert parallelism");
    }
    if (layout.context() > 1) {
      missing.add("context parallelism");
    }
    if (layout.zero() > 1) {
      missing.add("ZeRO " + layout.zero());
    }
    if (layout.offload() != Offload.NONE) {
      missing.add("offload");
    }
    if (layout.loss() != LossKind.CHUNKED) {
      missing.add("the " + layout.loss() + " loss");
    }
    if (layout.method() != Method.FULL) {
      missing.add("method " + layout.method());
    }
    switch (layout.precision()) {
      case FP32, BF16, FP16, FP8 -> {}
      case FP64, TF32 -> missing.add(layout.precision() + " products");
    }
    return List.copyOf(missing);
  }
}
