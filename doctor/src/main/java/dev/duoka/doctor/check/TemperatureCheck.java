package dev.duoka.doctor.check;

import dev.duoka.machine.probe.Gpu;
import java.util.Optional;

/** A chip near its limit will be slowed down soon. */
final class TemperatureCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo("temperature", "Temperature", "NVML or nvidia-smi -q", "warning from 88 °C on");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    out.each(
        machine.gpus(),
        "temperature",
        Gpu::temperature,
        value ->
            value.value() < HOT
                ? Optional.empty()
                : Optional.of(
                    new Findings.Fault(
                        Severity.WARNING,
                        "the chip has " + value.value() + " °C",
                        "most cards lower their clocks between 85 and 95 °C",
                        "check fans, filters and the room; then: nvidia-smi -i {i} -q -d"
                            + " TEMPERATURE")));
  }

  private static final int HOT = 88;
}
