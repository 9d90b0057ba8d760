package dev.duoka.doctor.check;

import dev.duoka.machine.probe.PciDevice;
import java.util.List;
import java.util.Optional;

/** A rank should run on the NUMA node that its GPU hangs on. */
final class NumaCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "numa",
          "GPUs and processors near each other",
          "sysfs, /proc/self/status",
          "warning when this process may not use the processors near some GPUs; a note when the"
              + " firmware does not tell where a card hangs");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    Optional<Integer> nodes = out.known("NUMA nodes", machine.host().numaNodes());
    if (nodes.isEmpty() || nodes.get() < 2) {
      return;
    }
    List<PciDevice> cards =
        machine.machine().pci().optional().orElse(List.of()).stream()
            .filter(device -> device.kind() == PciDevice.Kind.GPU)
            .toList();
    long homeless = cards.stream().filter(card -> card.numaNode().optional().orElse(0) < 0).count();
    long homes =
        cards.stream()
            .flatMap(c -> c.numaNode().optional().stream())
            .filter(n -> n >= 0)
            .distinct()
            .count();
    if (homeless > 0) {
      out.note(
          homeless
              + " of "
              + cards.size()
              + " cards report no NUMA node on a host with "
              + nodes.get(),
          "ranks cannot be placed near their GPUs by what the system says",
          "update the BIOS, or bind by hand: numactl --cpunodebind=0 --membind=0 …");
    }
    Optional<Integer> all = machine.host().processors().optional();
    Optional<Integer> allowed = machine.host().allowedProcessors().optional();
    if (homes > 1
        && all.isPresent()
        && allowed.isPresent()
        && allowed.get() <= all.get() / nodes.get()) {
      out.warning(
          "this process may run on "
              + allowed.get()
              + " of "
              + all.get()
              + " processors ("
              + machine.host().allowedList().optional().orElse("?")
              + "), but the GPUs hang on "
              + homes
              + " NUMA nodes",
          "the ranks of the far GPUs move all data across the link between the sockets",
          "taskset -c 0-"
              + (all.get() - 1)
              + " ./duoka train …   # or one task for each node of the scheduler");
    }
  }
}
