package dev.duoka.doctor.check;

import dev.duoka.base.ByteSize;
import dev.duoka.machine.probe.Gpu;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Memory that other programs hold is missing in training. */
final class OtherProcessesCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "other-processes",
          "Who else uses the GPUs",
          "NVML or nvidia-smi",
          "warning when programs hold a tenth of the memory (live); a note in a capture, which may"
              + " be of a run");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    out.each(
        machine.gpus(),
        "memory in use",
        Gpu::memoryUsed,
        value -> {
          long total = value.gpu().memoryTotal().optional().orElse(0L);
          if (total <= 0 || value.value() < total / 10) {
            return Optional.empty();
          }
          String who =
              value.gpu().processes().optional().orElse(List.of()).stream()
                  .map(p -> p.name().optional().orElse("process") + " (" + p.pid() + ")")
                  .limit(3)
                  .collect(Collectors.joining(", "));
          return Optional.of(
              new Findings.Fault(
                  machine.machine().live() ? Severity.WARNING : Severity.NOTE,
                  ByteSize.text(value.value())
                      + " of "
                      + ByteSize.text(total)
                      + " are in use"
                      + (who.isEmpty() ? "" : " by " + who),
                  "a run that was planned for the whole card runs out of memory",
                  "nvidia-smi -i {i} --query-compute-apps=pid,name,used_memory --format=csv   #"
                      + " then end what is not needed"));
        });
  }
}
