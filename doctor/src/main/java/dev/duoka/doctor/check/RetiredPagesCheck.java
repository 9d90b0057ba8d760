package dev.duoka.doctor.check;

import java.util.Optional;

/** Pages of memory that were taken out of service. */
final class RetiredPagesCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "retired-pages",
          "Retired memory pages",
          "nvidia-smi -q, on cards before Ampere",
          "error at 60 pages, warning when a page waits for a reboot, a note for the others with"
              + " double-bit errors");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    out.each(
        machine.gpus(),
        "retired pages",
        gpu -> gpu.health().retiredPending(),
        value -> {
          long doubles = value.gpu().health().retiredDouble().optional().orElse(0L);
          long pages = doubles + value.gpu().health().retiredSingle().optional().orElse(0L);
          String evidence = pages + " retired memory pages (" + doubles + " for double-bit errors)";
          if (pages >= TO_EXCHANGE) {
            return Optional.of(
                new Findings.Fault(
                    Severity.ERROR,
                    evidence + (value.value() ? ", more pending" : ""),
                    "NVIDIA's criterion for an exchange, 60 pages, is met",
                    "replace the card; nvidia-smi -i {i} -q -d PAGE_RETIREMENT for the support"
                        + " case"));
          }
          if (value.value()) {
            return Optional.of(
                new Findings.Fault(
                    Severity.WARNING,
                    evidence + ", and one waits for a reboot",
                    "the faulty page stays in use until then",
                    "sudo nvidia-smi --gpu-reset -i {i}   # or reboot"));
          }
          return doubles == 0
              ? Optional.empty()
              : Optional.of(
                  new Findings.Fault(
                      Severity.NOTE,
                      evidence,
                      "nothing now; a card with a history is the first suspect",
                      "nvidia-smi -i {i} -q -d PAGE_RETIREMENT"));
        });
  }

  private static final long TO_EXCHANGE = 60;
}
