package dev.duoka.planner.layout;

import dev.duoka.hardware.Machine;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.Precision;
import java.util.ArrayList;
import java.util.List;

/**
 * Which layouts the engine runs, and so answers from its own dry run: every mesh, ZeRO stage and
 * form of states.
 */
public final class EngineSupport {
  private EngineSupport() {}

  /** What the engine lacks to run a layout on a machine; empty where a plan writes its run file. */
  public static List<String> missing(Layout layout, Machine machine) {
    List<String> missing = new ArrayList<>();
    if (!machine.card().isNvidia()) {
      missing.add("cards of this vendor");
    }
    if (layout.offload() == Offload.PARAMETERS) {
      missing.add("offload of parameters");
    }
    if (layout.loss() != LossKind.CHUNKED) {
      missing.add("the " + layout.loss() + " loss");
    }
    if (layout.method() == Method.QLORA && layout.precision() == Precision.FP8) {
      missing.add("8-bit products of 4-bit weights");
    }
    if (layout.method().isAdapter() && layout.offload() != Offload.NONE) {
      missing.add("offload of an adapter's states");
    }
    switch (layout.precision()) {
      case FP32, BF16, FP16, FP8 -> {}
      case FP64, TF32 -> missing.add(layout.precision() + " products");
    }
    return List.copyOf(missing);
  }
}
