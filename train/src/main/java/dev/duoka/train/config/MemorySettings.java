package dev.duoka.train.config;

import dev.duoka.layout.GradientForm;
import dev.duoka.layout.MomentForm;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.StateForm;
import dev.duoka.train.config.binding.Doc;
import java.util.Optional;

/**
 * Section {@code memory}: in which form, and where, gradients and the optimizer's states are kept.
 */
public record MemorySettings(
    @Doc(
            value = "What lives in host memory: `none`, or `optimizer` for its states.",
            byDefault = "none",
            range = "none, optimizer")
        Offload offload,
    @Doc(
            value =
                "Where states in host memory are updated: on the `device`, which they pass"
                    + " through piece by piece, with the bits of a run without offload; or by the"
                    + " `host`'s processors, to whom the gradients go, so that they take no memory"
                    + " of the device either.",
            byDefault = "device")
        OffloadUpdate offloadUpdate,
    @Doc(
            value =
                "Of the weights, those of the last layers first, the fraction whose states are in"
                    + " host memory where the device updates them. All others stay on the device:"
                    + " what it has room for need not travel in every step.",
            byDefault = "1",
            range = "(0, 1]")
        double offloadFraction,
    @Doc(
            value =
                "The optimizer's two moments in `fp32`, `bf16` or `8bit`: 8, 4 or 2.06 bytes of a"
                    + " weight.",
            byDefault = "fp32")
        MomentForm moments,
    @Doc(
            value =
                "Whether 16-bit weights have a master in fp32, 2 bytes more of a weight, in `fp16`"
                    + " 4. Without, updates are rounded up or down by chance, for `bf16` and"
                    + " `fp8`.",
            byDefault = "true")
        boolean masterWeights,
    @Doc(
            value =
                "Gradients of layers in `fp32`, or in `bf16` where a step is one micro-batch: 4 or"
                    + " 2 bytes of a weight.",
            byDefault = "fp32")
        GradientForm gradients) {
  /** The form of it all. */
  public StateForm states() {
    return new StateForm(moments, masterWeights, gradients);
  }

  /**
   * Why a step on the CPU has no states apart in host memory; empty for {@code none}.
   *
   * @param named the field or option
   */
  public static Optional<String> offloadOnCpu(String named, Offload offload) {
    return offload == Offload.NONE
        ? Optional.empty()
        : Optional.of(
            named
                + " is "
                + offload
                + ", but device is cpu: states are in host memory already, and would take buffers"
                + " beside them");
  }
}
