package dev.duoka.operations.watch;

import dev.duoka.base.ByteSize;
import dev.duoka.operations.process.ProcessIdentity;
import dev.duoka.operations.process.ProcessLoad;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The processes of a run on this machine as lines of text: their part of the CPU and memory. */
final class ProcessLines {
  /** More are told as one. */
  private static final int MOST = 4;

  private final Map<ProcessIdentity, Seen> before = new HashMap<>();

  private record Seen(long nanos, long cpuNanos) {}

  /** A line for each process that is there; what it takes of the CPU needs two looks. */
  List<String> of(List<ProcessIdentity> processes) {
    return of(processes, System.nanoTime(), ProcessLoad::of);
  }

  /** How the load of a process is told. */
  interface Loads {
    Optional<ProcessLoad> of(ProcessIdentity process);
  }

  List<String> of(List<ProcessIdentity> processes, long now, Loads loads) {
    List<String> lines = new ArrayList<>();
    long bytes = 0;
    double share = 0;
    for (ProcessIdentity process : processes) {
      Optional<ProcessLoad> load = loads.of(process);
      if (load.isPresent()) {
        Seen last = before.put(process, new Seen(now, load.get().cpuNanos()));
        double part =
            last == null || now <= last.nanos()
                ? Double.NaN
                : (double) (load.get().cpuNanos() - last.cpuNanos()) / (now - last.nanos());
        bytes += load.get().bytes();
        share += part;
        lines.add(line("process " + process.pid(), part, load.get().bytes()));
      }
    }
    return lines.size() > MOST
        ? List.of(line(lines.size() + " processes", share, bytes))
        : List.copyOf(lines);
  }

  /** As nvidia-smi and top say it, a whole core is 100 %. */
  private static String line(String name, double share, long bytes) {
    return name
        + (Double.isNaN(share) ? "" : String.format(Locale.ROOT, "  CPU %.0f %%", 100 * share))
        + "  "
        + ByteSize.text(bytes);
  }
}
