package dev.duoka.doctor.check;

import dev.duoka.base.ByteSize;
import dev.duoka.machine.probe.Host;
import java.util.Optional;

/** Host memory against the plan, or against the GPUs. */
final class HostMemoryCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "host-memory",
          "Host memory",
          "/proc/meminfo, control group",
          "error when the planned run needs more than there is; a note when it is less than the"
              + " GPUs' memory");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    Optional<Long> memory = out.known("host memory", machine.host().memory());
    if (memory.isEmpty()) {
      return;
    }
    long limit =
        Math.min(memory.get(), machine.host().cgroupMemory().optional().orElse(Host.UNLIMITED));
    String has =
        "the host has "
            + ByteSize.text(limit)
            + (limit < memory.get() ? " for this control group" : "");
    if (machine.plan().isPresent() && machine.plan().get().hostBytes() > limit) {
      out.error(
          has
              + ", the run needs "
              + ByteSize.text(machine.plan().get().hostBytes())
              + " ("
              + machine.plan().get().why()
              + ")",
          "the kernel kills the run when it saves its first checkpoint",
          "use a machine with more memory, or a smaller model: ./duoka plan --model …");
    } else if (machine.plan().isEmpty() && machine.gpuMemory() > limit) {
      out.note(
          has + ", the GPUs have " + ByteSize.text(machine.gpuMemory()),
          "a copy of everything on the GPUs (offload, snapshots of a full model) does not fit",
          "nothing to do for runs whose states fit; else add memory");
    }
  }
}
