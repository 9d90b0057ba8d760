package dev.duoka.experiment.ladder;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A card, or the processors of a machine, at work for somebody else.
 *
 * @param name for example {@code GPU 1}, or {@code the CPU}
 * @param utilisation per cent of the time in which kernels ran there; empty where it does not
 *     answer
 * @param processes bytes of each process that the driver shows there; −1 where it does not tell
 */
record BusyCard(String name, Optional<Integer> utilisation, Map<Long, Long> processes) {
  /** The name of the processors. */
  static final String CPU = "the CPU";

  BusyCard {
    processes = Map.copyOf(processes);
  }

  Cause cause() {
    if (utilisation.isEmpty()) {
      return new Cause(
          Cause.Kind.CARD,
          name + " does not answer the driver",
          "See nvidia-smi and dmesg: it may have fallen off the bus");
    }
    if (name.equals(CPU)) {
      return new Cause(
          Cause.Kind.CARD,
          CPU + " is " + utilisation.get() + " % busy while no rank of the ladder runs",
          "See top; climb again when nothing else runs, or give --least-speed 0");
    }
    String who =
        processes.isEmpty()
            ? ", by a process that is not shown here (of another container, for one)"
            : ", by process "
                + String.join(
                    ", ", new TreeMap<>(processes).keySet().stream().map(String::valueOf).toList());
    return new Cause(
        Cause.Kind.CARD,
        name
            + " computes for somebody else: busy "
            + utilisation.get()
            + " % of the time while no rank of the ladder runs"
            + who,
        "See nvidia-smi; end that process, or leave the card out with CUDA_VISIBLE_DEVICES");
  }
}
