package dev.duoka.doctor.check;

import dev.duoka.machine.probe.Gpu;
import java.util.Locale;
import java.util.Optional;

/** The compute mode, which may keep a second process, or every process, off the card. */
final class ComputeModeCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "compute-mode",
          "Compute mode",
          "NVML or nvidia-smi -q",
          "error when nobody may compute, warning when one thread may, a note when one process"
              + " may");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    out.each(
        machine.gpus(),
        "compute mode",
        Gpu::computeMode,
        value -> {
          String fix = "sudo nvidia-smi -i {i} -c DEFAULT";
          String mode = value.value().toUpperCase(Locale.ROOT).replace(' ', '_');
          if (mode.contains("PROHIBITED")) {
            return Optional.of(
                new Findings.Fault(
                    Severity.ERROR,
                    "the compute mode is Prohibited",
                    "no program can compute on the card",
                    fix));
          }
          if (mode.contains("EXCLUSIVE_THREAD")) {
            return Optional.of(
                new Findings.Fault(
                    Severity.WARNING,
                    "the compute mode is Exclusive_Thread",
                    "only one thread may hold the card, and duoka uses several",
                    fix));
          }
          return mode.contains("EXCLUSIVE")
              ? Optional.of(
                  new Findings.Fault(
                      Severity.NOTE,
                      "the compute mode is " + value.value(),
                      "one process may use the card; a second one, such as a profiler, fails",
                      fix))
              : Optional.empty();
        });
  }
}
