package dev.duoka.doctor.check;

import java.util.Optional;

/** Errors of the GPU's memory that ECC found. */
final class EccCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "ecc",
          "Memory errors",
          "NVML or nvidia-smi -q",
          "error for uncorrected errors since the driver was loaded or too many SRAM errors; a note"
              + " for older ones and for ECC that is off");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    out.each(
        machine.gpus(),
        "ECC errors",
        gpu -> gpu.health().uncorrected(),
        value ->
            value.value() == 0
                ? Optional.empty()
                : Optional.of(
                    new Findings.Fault(
                        Severity.ERROR,
                        value.value() + " uncorrected memory errors since the driver was loaded",
                        "programs on the GPU die, or computed with wrong numbers",
                        "sudo nvidia-smi --gpu-reset -i {i} && dcgmi diag -r 3   # if they come"
                            + " back: replace the card")));
    out.each(
        machine.gpus(),
        "SRAM threshold",
        gpu -> gpu.health().sramThreshold(),
        value ->
            value.value()
                ? Optional.of(
                    new Findings.Fault(
                        Severity.ERROR,
                        "the threshold of uncorrected SRAM errors is exceeded",
                        "NVIDIA's criterion for an exchange is met",
                        "replace the card; until then: export CUDA_VISIBLE_DEVICES to the others"))
                : Optional.empty());
    out.each(
        machine.gpus(),
        "ECC mode",
        gpu -> gpu.health().ecc(),
        value ->
            value.value()
                ? value.gpu().health().uncorrectedEver().optional().filter(n -> n > 0).isPresent()
                        && value
                            .gpu()
                            .health()
                            .uncorrected()
                            .optional()
                            .filter(n -> n > 0)
                            .isEmpty()
                    ? Optional.of(
                        new Findings.Fault(
                            Severity.NOTE,
                            value.gpu().health().uncorrectedEver().optional().orElse(0L)
                                + " uncorrected memory errors over the card's life, none since the"
                                + " driver was loaded",
                            "nothing now; a card with a history is the first suspect",
                            "nvidia-smi -i {i} -q -d ECC,ROW_REMAPPER"))
                    : Optional.empty()
                : Optional.of(
                    new Findings.Fault(
                        Severity.NOTE,
                        "ECC is off",
                        "a flipped bit changes weights without any error",
                        "sudo nvidia-smi -i {i} -e 1 && sudo reboot")));
  }
}
