package dev.duoka.train.placement;

import dev.duoka.machine.topology.Bandwidth;
import dev.duoka.machine.topology.Bandwidths;
import dev.duoka.machine.topology.Link;
import dev.duoka.machine.topology.LinkKind;
import dev.duoka.machine.topology.Topology;
import java.util.Comparator;
import java.util.Optional;

/**
 * What two ranks exchange through.
 *
 * @param label short, for example {@code NV18}, {@code SYS} or {@code network}
 * @param text for a sentence, for example {@code NVLink NV18}
 * @param rate GB/s each way to expect; empty where nothing says so
 * @param farness how far it is among the ways that there are, 0 for one and the same memory
 */
public record Way(String label, String text, Optional<Bandwidth> rate, int farness) {
  /** The slower the later; of the same kind that with less bandwidth later. */
  static final Comparator<Way> BY_SLOWNESS =
      Comparator.comparingInt(Way::farness)
          .thenComparing(
              way -> way.rate().map(Bandwidth::low).orElse(Double.MAX_VALUE),
              Comparator.reverseOrder());

  private static final int FIRST_LINK = 2;
  private static final int OUTSIDE = 100;

  /** Threads of one process. */
  static final Way MEMORY = new Way("memory", "the memory of their process", Optional.empty(), 0);

  /** Several ranks on one card. */
  static final Way ONE_GPU = new Way("one GPU", "the memory of one GPU", Optional.empty(), 1);

  /** Processes on CPUs. */
  static final Way TCP = new Way("TCP", "TCP between processes", Optional.empty(), OUTSIDE);

  /** Two machines. */
  static final Way NETWORK =
      new Way("network", "the network between machines", Optional.empty(), OUTSIDE + 1);

  /** GPUs whose connection nobody tells. */
  static final Way UNKNOWN =
      new Way("unknown", "a way that is not known", Optional.empty(), OUTSIDE + 2);

  /** Two GPUs of a machine, by their numbers in its topology. */
  static Way between(Topology topology, int a, int b) {
    return topology
        .link(a, b)
        .map(
            link ->
                new Way(
                    link.label(),
                    text(link),
                    Bandwidths.expected(topology, a, b),
                    FIRST_LINK + link.kind().ordinal()))
        .orElse(UNKNOWN);
  }

  /** Whether it is NVLink. */
  boolean isNvlink() {
    return farness == FIRST_LINK + LinkKind.NVLINK.ordinal();
  }

  private static String text(Link link) {
    return switch (link.kind()) {
      case NVLINK -> "NVLink " + link;
      case PSB, PIX -> "a PCIe switch (" + link + ")";
      case PXB -> "several PCIe switches (" + link + ")";
      case PHB -> "the PCIe host bridge (" + link + ")";
      case NODE -> "the PCIe host bridges of one socket (" + link + ")";
      case SYS -> "the link between sockets (" + link + ")";
    };
  }

  /** With its rate, for example {@code NVLink NV18, 450 GB/s each way}. */
  @Override
  public String toString() {
    return text
        + rate.map(it -> ", " + it.text() + " GB/s each way" + (it.assumed() ? " (assumed)" : ""))
            .orElse("");
  }
}
