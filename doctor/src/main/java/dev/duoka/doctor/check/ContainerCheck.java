package dev.duoka.doctor.check;

import dev.duoka.base.ByteSize;
import java.util.Locale;
import java.util.Optional;

/** A control group's limits, which no tool on the host shows. */
final class ContainerCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "container-limits",
          "Limits of the container or control group",
          "control groups v1 and v2",
          "warning when processors or memory are limited below what the GPUs need");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    int gpus = machine.gpus().size();
    if (gpus == 0) {
      return;
    }
    Optional<Double> processors = out.known("processor limit", machine.host().cgroupCpus());
    if (processors.isPresent() && processors.get() < 2.0 * gpus) {
      out.warning(
          String.format(
              Locale.ROOT,
              "the control group may use %.1f processors for %d GPUs",
              processors.get(),
              gpus),
          "launching kernels and preparing batches is throttled in bursts, and GPUs wait",
          "docker run --cpus=" + 4 * gpus + " …   # or leave the limit out");
    }
    Optional<Long> memory = out.known("memory limit", machine.host().cgroupMemory());
    Optional<Long> host = machine.host().memory().optional();
    if (memory.isPresent()
        && host.isPresent()
        && memory.get() < host.get() / 4
        && memory.get() < machine.gpuMemory()) {
      out.warning(
          "the control group may use "
              + ByteSize.text(memory.get())
              + " of "
              + ByteSize.text(host.get()),
          "the kernel kills the run ('oom-kill:constraint=CONSTRAINT_MEMCG') though the host has"
              + " memory left",
          "docker run --memory=" + (host.get() >> 30) * 9 / 10 + "g …   # or leave the limit out");
    }
  }
}
