package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.layout.GradientForm;
import dev.duoka.layout.MomentForm;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.StateForm;
import dev.duoka.train.config.MemorySettings;
import picocli.CommandLine.Option;

/** The options that say in which form a measured step keeps gradients and states, and where. */
final class StateOptions {
  @Option(
      names = "--moments",
      paramLabel = "FORM",
      defaultValue = "fp32",
      description = "The optimizer's moments: fp32, bf16, 8bit (${DEFAULT-VALUE}).")
  private MomentForm moments = MomentForm.FP32;

  @Option(
      names = "--master-weights",
      paramLabel = "true|false",
      arity = "1",
      defaultValue = "true",
      description = "Whether 16-bit weights have a master in fp32 (${DEFAULT-VALUE}).")
  private boolean masterWeights;

  @Option(
      names = "--gradients",
      paramLabel = "FORM",
      defaultValue = "fp32",
      description = "Gradients of layers: fp32, or bf16 with one micro-batch (${DEFAULT-VALUE}).")
  private GradientForm gradients = GradientForm.FP32;

  @Option(
      names = "--offload",
      paramLabel = "WHAT",
      defaultValue = "none",
      description = "What lives in host memory: none, optimizer (${DEFAULT-VALUE}).")
  private Offload offload = Offload.NONE;

  @Option(
      names = "--offload-update",
      paramLabel = "WHERE",
      defaultValue = "device",
      description = "Where states in host memory are updated: device, host (${DEFAULT-VALUE}).")
  private OffloadUpdate offloadUpdate = OffloadUpdate.DEVICE;

  @Option(
      names = "--offload-fraction",
      paramLabel = "PART",
      defaultValue = "1",
      description =
          "Of the weights, whose states live there where the device updates them"
              + " (${DEFAULT-VALUE}).")
  private double offloadFraction = 1;

  /**
   * Refuses what would sum in 16 bits, and a part of nothing.
   *
   * @throws DuokaException with such options
   */
  void check(int accumulation) {
    boolean passes = offload == Offload.OPTIMIZER && offloadUpdate == OffloadUpdate.DEVICE;
    if (!(offloadFraction > 0 && offloadFraction <= 1) || (!passes && offloadFraction != 1)) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "--offload-fraction " + offloadFraction + " with --offload " + offload,
          "Give a number above 0 and up to 1, with --offload optimizer and its update on the"
              + " device.");
    }
    if (gradients == GradientForm.BF16 && accumulation > 1) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "--gradients bf16 with --accumulation " + accumulation + " would sum in 16 bits",
          "Give --accumulation 1, or --gradients fp32.");
    }
  }

  /**
   * Refuses what a run file refuses on the CPU.
   *
   * @throws DuokaException with states apart in host memory
   */
  void checkOnCpu() {
    MemorySettings.offloadOnCpu("--offload", offload)
        .ifPresent(
            problem -> {
              throw new DuokaException(
                  ErrorCode.USAGE, problem, "Leave it out, or give --device meta to count memory.");
            });
  }

  /** In which form all is kept. */
  StateForm form() {
    return new StateForm(moments, masterWeights, gradients);
  }

  /** What lives in host memory. */
  Offload offload() {
    return offload;
  }

  /** Of the weights, whose states live there. */
  double offloadFraction() {
    return offloadFraction;
  }

  /** Where what lives there is updated. */
  OffloadUpdate offloadUpdate() {
    return offloadUpdate;
  }
}
