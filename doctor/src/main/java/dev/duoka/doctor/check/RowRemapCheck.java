package dev.duoka.doctor.check;

import java.util.Optional;

/** Rows of memory that were replaced by spare ones. */
final class RowRemapCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "row-remap",
          "Remapped memory rows",
          "NVML or nvidia-smi -q",
          "error when a remapping failed, warning when one waits for a reset");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    out.each(
        machine.gpus(),
        "row remapping",
        gpu -> gpu.health().remapFailed(),
        value ->
            value.value()
                ? Optional.of(
                    new Findings.Fault(
                        Severity.ERROR,
                        "remapping a memory row failed",
                        "the card has no spare rows left where it needs one; errors will come back",
                        "replace the card; until then leave it out: export CUDA_VISIBLE_DEVICES=…"))
                : value.gpu().health().remapPending().optional().orElse(false)
                    ? Optional.of(
                        new Findings.Fault(
                            Severity.WARNING,
                            "a remapped memory row waits for a reset",
                            "the faulty row stays in use until then, and a program that meets it"
                                + " dies",
                            "sudo nvidia-smi --gpu-reset -i {i}"))
                    : Optional.empty());
  }
}
