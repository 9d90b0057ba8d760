package dev.duoka.doctor.check;

import java.util.Optional;

/** NVLinks in use against those that the card has. */
final class NvLinkCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "nvlink",
          "NVLinks that are down",
          "NVML or nvidia-smi nvlink -s",
          "error when a card has fewer links up than it has or than its neighbours; a note when a"
              + " card that needs a bridge has none");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    if (machine.gpus().size() < 2) {
      return; // a single GPU has nobody to link to
    }
    int most =
        machine.gpus().stream()
            .mapToInt(gpu -> gpu.nvlink().active().optional().orElse(0))
            .max()
            .orElse(0);
    out.each(
        machine.gpus(),
        "NVLinks",
        gpu -> gpu.nvlink().active(),
        value -> {
          int active = value.value();
          int total = Math.max(most, value.gpu().nvlink().total().optional().orElse(active));
          boolean board =
              value
                  .gpu()
                  .name()
                  .optional()
                  .map(name -> name.matches(".*(SXM|HBM3|H200|B[23]00|HGX).*"))
                  .orElse(false);
          if (active >= total) {
            return Optional.empty();
          }
          if (active == 0 && most == 0 && !board) {
            return Optional.of(
                new Findings.Fault(
                    Severity.NOTE,
                    "none of " + total + " NVLinks is up",
                    "GPUs exchange data over PCIe; an NVLink bridge would be several times faster",
                    "fit an NVLink bridge between two cards of a kind, if the board has room"));
          }
          return Optional.of(
              new Findings.Fault(
                  Severity.ERROR,
                  active + " of " + total + " NVLinks are up",
                  "every collective runs at the rate of the slowest card, or NCCL falls back to"
                      + " PCIe",
                  "nvidia-smi nvlink -s -i {i}; sudo systemctl restart nvidia-fabricmanager; sudo"
                      + " nvidia-smi --gpu-reset -i {i}   # if it stays: replace the card or its"
                      + " bridge"));
        });
  }
}
