package dev.duoka.doctor.check;

import dev.duoka.hardware.xid.Xid;
import dev.duoka.machine.probe.KernelEvent;
import dev.duoka.machine.probe.PciDevice;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the driver wrote to the kernel log, by its number. */
final class XidCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "xid", "Errors in the kernel log", "dmesg (Xid, SXid)", "as the table of numbers says");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    Optional<List<KernelEvent>> events = out.known("kernel log", machine.machine().kernelEvents());
    Map<String, List<KernelEvent>> groups = new LinkedHashMap<>();
    for (KernelEvent event : events.orElse(List.of())) {
      if (event.kind() == KernelEvent.Kind.XID || event.kind() == KernelEvent.Kind.SXID) {
        groups
            .computeIfAbsent(
                event.kind() + " " + event.code() + " " + event.address(), _ -> new ArrayList<>())
            .add(event);
      }
    }
    groups.values().forEach(group -> report(machine, group, out));
  }

  private void report(Examination machine, List<KernelEvent> group, Findings out) {
    KernelEvent last = group.getLast();
    String where =
        machine.gpus().stream()
            .filter(
                gpu ->
                    gpu.pciBusId()
                        .optional()
                        .map(PciDevice::normalise)
                        .filter(a -> sameSlot(a, last.address()))
                        .isPresent())
            .findFirst()
            .map(gpu -> "GPU " + gpu.index())
            .orElse(last.address().isEmpty() ? "a GPU" : last.address());
    String times = group.size() == 1 ? "" : ", " + group.size() + " times, the last";
    if (last.kind() == KernelEvent.Kind.SXID) {
      boolean fatal = last.line().contains("Fatal") && !last.line().contains("Non-fatal");
      out.add(
          fatal ? Severity.ERROR : Severity.WARNING,
          "SXid " + last.code() + " of an NVSwitch" + times + ": " + last.line(),
          "links of the fabric are down or were retrained",
          "sudo systemctl restart nvidia-fabricmanager; nvidia-smi nvlink -s");
      return;
    }
    String seen = "Xid " + last.code() + " on " + where + ", ";
    Optional<Xid> xid = Xid.of(last.code());
    if (xid.isEmpty()) {
      out.warning(
          seen + "a number that NVIDIA's catalog does not explain" + times + ": " + last.line(),
          "nothing yet; it may get worse",
          "nvidia-smi -q -d ECC,ROW_REMAPPER   # again in a day");
      return;
    }
    String index = where.startsWith("GPU ") ? where.substring("GPU ".length()) : Xid.INDEX;
    String bus = last.address().isEmpty() ? "BUS" : last.address().replaceFirst("\\.\\d$", "");
    out.add(
        severity(xid.get().gravity()),
        seen + xid.get().name() + times + ": " + last.line(),
        xid.get().why(),
        xid.get().fix().replace(Xid.INDEX, index).replace(Xid.BUS, bus));
  }

  private static Severity severity(Xid.Gravity gravity) {
    return switch (gravity) {
      case ERROR -> Severity.ERROR;
      case WARNING -> Severity.WARNING;
      case NOTE -> Severity.NOTE;
    };
  }

  /** The log leaves the function out. */
  private static boolean sameSlot(String a, String b) {
    return !b.isEmpty()
        && a.substring(0, a.lastIndexOf('.'))
            .equals(b.contains(".") ? b.substring(0, b.lastIndexOf('.')) : b);
  }
}
