package dev.duoka.doctor.check;

import dev.duoka.ffi.nvml.ThrottleReason;
import dev.duoka.machine.probe.Gpu;
import java.util.Optional;
import java.util.Set;

/** Reasons for lowered clocks that should not be there. */
final class ThrottleCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "throttle",
          "What holds the clocks down",
          "NVML or nvidia-smi -q",
          "error for a hardware slowdown, warning for heat; the power cap under load is normal and"
              + " left alone");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    out.each(
        machine.gpus(),
        "throttle reasons",
        Gpu::throttle,
        value -> {
          Set<ThrottleReason> reasons = value.value();
          String at = value.gpu().temperature().optional().map(t -> " at " + t + " °C").orElse("");
          if (reasons.contains(ThrottleReason.HARDWARE_POWER_BRAKE)) {
            return Optional.of(
                new Findings.Fault(
                    Severity.ERROR,
                    "the power supply brakes the card (HW Power Brake Slowdown)",
                    "clocks are halved or worse",
                    "check power supplies and cables; ipmitool sdr type 'Power Supply'"));
          }
          if (reasons.contains(ThrottleReason.HARDWARE_THERMAL)
              || reasons.contains(ThrottleReason.HARDWARE_SLOWDOWN)) {
            return Optional.of(
                new Findings.Fault(
                    Severity.ERROR,
                    "the hardware slows the card down" + at + " (HW Slowdown)",
                    "clocks are halved or worse",
                    "check fans, filters and the room; then: nvidia-smi -i {i} -q -d"
                        + " PERFORMANCE,TEMPERATURE"));
          }
          return reasons.contains(ThrottleReason.SOFTWARE_THERMAL)
              ? Optional.of(
                  new Findings.Fault(
                      Severity.WARNING,
                      "the driver lowers the clocks for heat" + at + " (SW Thermal Slowdown)",
                      "the hottest card holds up all others",
                      "check fans, filters and the room; then: nvidia-smi -i {i} -q -d"
                          + " TEMPERATURE"))
              : Optional.empty();
        });
  }
}
