package dev.duoka.doctor.check;

import java.util.Locale;
import java.util.Optional;

/** A lowered power limit lowers the clocks under load. */
final class PowerCapCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "power-cap",
          "Power limit",
          "NVML or nvidia-smi -q",
          "warning below nine tenths of the card's default, a note below the default");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    out.each(
        machine.gpus(),
        "power limit",
        gpu -> gpu.power().limit(),
        value -> {
          double usual = value.gpu().power().defaultLimit().optional().orElse(value.value());
          double limit = value.value();
          if (limit >= 0.995 * usual || usual <= 0) {
            return Optional.empty();
          }
          return Optional.of(
              new Findings.Fault(
                  limit < 0.9 * usual ? Severity.WARNING : Severity.NOTE,
                  String.format(
                      Locale.ROOT,
                      "the power limit is %.0f W, the card's default %.0f W",
                      limit,
                      usual),
                  "matrix products run at lower clocks; the slowest card holds up all others",
                  String.format(Locale.ROOT, "sudo nvidia-smi -i {i} -pl %.0f", usual)));
        });
  }
}
