package dev.duoka.planner.time;

import dev.duoka.hardware.Basis;
import dev.duoka.hardware.Card;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Collective;
import dev.duoka.hardware.CollectiveRate;
import dev.duoka.hardware.ExchangeSample;
import dev.duoka.hardware.ExchangeTable;
import dev.duoka.hardware.HostSample;
import dev.duoka.hardware.Interconnect;
import dev.duoka.hardware.Machine;
import dev.duoka.hardware.MachineProfile;
import dev.duoka.planner.figure.Figure;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * How fast collectives are between the cards of one machine: measured bus bandwidth where the
 * catalogue has it, else a share of the links' rate.
 */
public final class LinkRates {
  /**
   * Parts of a direction's rate that rings reach where nothing was measured (8 A100: 235 of 300).
   */
  private static final double NVLINK_SHARE = 0.78;

  private static final double BRIDGE_SHARE = 0.85;

  /** Rings over PCIe: 20.8 of 31.5 for four A100, 12.5 for eight; through host memory far less. */
  private static final double[] P2P_SHARES = {0.66, 0.40};

  private static final double[] HOST_SHARES = {0.32, 0.19};

  /** Data rate of one point-to-point copy over PCIe; 55.4 of 63 measured on generation 5. */
  private static final double PCIE_SHARE = 0.88;

  /**
   * What a card's link carries each way of what it carries one way, when it carries both: {@code
   * bench/results/2026-11-28-one-h200-states-and-offload.md}.
   */
  private static final double BOTH_WAYS = 51.0 / 55.0;

  private final Machine machine;
  private final Map<Collective, Figure[]> bySpan = new EnumMap<>(Collective.class);
  private final @Nullable ExchangeTable measured;

  /** The rates within a machine. */
  public LinkRates(Machine machine, Catalogue catalogue) {
    this.machine = machine;
    measured =
        machine
            .profile()
            .filter(profile -> !profile.exchanges().isEmpty())
            .map(profile -> profile.exchanges(profile.exchanges().getFirst().transport()))
            .orElse(null);
    for (Collective collective : Collective.values()) {
      Figure[] rates = new Figure[machine.gpus() + 1];
      for (int span = 2; span <= machine.gpus(); span++) {
        rates[span] = find(collective, span, catalogue.rates());
      }
      bySpan.put(collective, rates);
    }
  }

  /** The machine. */
  public Machine machine() {
    return machine;
  }

  /**
   * Seconds of a collective.
   *
   * @param ranks that take part
   * @param span how many neighbouring cards they spread over: more than {@code ranks} where others
   *     lie between them
   * @param bytes the whole vector: what is reduced, gathered, or sent by one rank in total
   */
  public Figure seconds(Collective collective, int ranks, int span, double bytes) {
    if (ranks < 2 || bytes <= 0) {
      return Figure.ZERO;
    }
    if (measured != null) {
      String name = collective.name().toLowerCase(Locale.ROOT).replace('_', '-');
      OptionalDouble seconds = measured.seconds(name, ranks, span, bytes);
      if (seconds.isPresent()) {
        return new Figure(seconds.getAsDouble(), basis(name, Math.max(ranks, span)));
      }
    }
    Figure rate = busBandwidth(collective, Math.max(ranks, span));
    double share = (ranks - 1.0) / ranks * (collective == Collective.ALL_REDUCE ? 2 : 1);
    double seconds = bytes / rate.value() + latency(Math.max(ranks, span));
    return new Figure(share * seconds, unprofiled(rate.basis()));
  }

  /** What was measured among fewer cards is only guessed for more. */
  private Basis basis(String name, int cards) {
    return measured != null && measured.reaches(name, cards) ? Basis.MEASURED : Basis.ASSUMED;
  }

  /** Beside a machine's own profile the catalogue's rates are none of its measurements. */
  private Basis unprofiled(Basis basis) {
    return machine.profile().isPresent() ? Basis.ASSUMED : basis;
  }

  /** Bus bandwidth for large messages in bytes/s, over so many neighbouring cards. */
  public Figure busBandwidth(Collective collective, int span) {
    Figure[] rates = bySpan.get(collective);
    if (rates == null || span < 2) {
      throw new IllegalArgumentException(collective + " over " + span + " cards");
    }
    return rates[Math.min(span, machine.gpus())];
  }

  /** Seconds to send bytes from one card to a neighbour within so many cards. */
  public Figure sendSeconds(int span, double bytes) {
    if (measured != null) {
      OptionalDouble seconds = measured.seconds(ExchangeSample.SEND, 2, Math.max(2, span), bytes);
      if (seconds.isPresent()) {
        // A pair sends as fast whatever the number of others.
        return Figure.measured(seconds.getAsDouble());
      }
    }
    double rate =
        switch (machine.linkOf(span)) {
          case NVLINK, BRIDGE ->
              0.8 * machine.card().nvlink().eachWayGbs() * machine.linkShare() * 1e9;
          case PCIE_P2P, PCIE_HOST ->
              busBandwidth(Collective.ALL_REDUCE, Math.max(2, span)).value();
        };
    return Figure.assumed(bytes / rate);
  }

  /** Bytes per second of one card to or from host memory. */
  public Figure hostBandwidth() {
    Optional<HostSample> host = machine.profile().flatMap(MachineProfile::host);
    if (host.isPresent()) {
      return Figure.measured(Math.min(host.get().toDevice(), host.get().toHost()));
    }
    return new Figure(
        PCIE_SHARE * machine.card().pcie().eachWayGbs() * 1e9, unprofiled(Basis.MEASURED));
  }

  /** Bytes per second of one card to and, at the same time, from host memory, each way. */
  public Figure hostBandwidthBothWays() {
    OptionalDouble measured =
        machine
            .profile()
            .flatMap(MachineProfile::host)
            .map(HostSample::bothWays)
            .orElseGet(OptionalDouble::empty);
    if (measured.isPresent()) {
      return Figure.measured(measured.getAsDouble());
    }
    Figure oneWay = hostBandwidth();
    return Figure.assumed(BOTH_WAYS * oneWay.value());
  }

  /**
   * What a collective takes beside moving bytes: what makes 1 MiB reach 18 and 64 MiB 171 GB/s on 8
   * A100, 40 and 347 on 8 H200, 36 and 401 on 8 B200 (stas00/ml-engineering 744d01e).
   */
  private double latency(int span) {
    return switch (machine.linkOf(span)) {
      case NVLINK -> 65e-6;
      case BRIDGE, PCIE_P2P -> 80e-6;
      case PCIE_HOST -> 200e-6;
    };
  }

  private Figure find(Collective collective, int span, List<CollectiveRate> rates) {
    Interconnect link = machine.linkOf(span);
    CollectiveRate best = null;
    for (CollectiveRate rate : rates) {
      if (rate.link() == link && rate.cards().contains(machine.card().name())) {
        best = best == null ? rate : nearer(best, rate, span);
      }
    }
    double share =
        link == Interconnect.NVLINK || link == Interconnect.BRIDGE ? machine.linkShare() : 1;
    if (best == null) {
      return Figure.assumed(estimate(link, span) * share * 1e9);
    }
    boolean same = best.gpus() == span && best.has(collective) && share == 1;
    return new Figure(
        best.of(collective) * share * 1e9, same ? best.basis() : best.basis().and(Basis.ASSUMED));
  }

  /** The one for the smallest group that is not smaller, else the one for the largest. */
  private static CollectiveRate nearer(CollectiveRate a, CollectiveRate b, int span) {
    boolean enoughA = a.gpus() >= span;
    boolean enoughB = b.gpus() >= span;
    if (enoughA != enoughB) {
      return enoughA ? a : b;
    }
    return (b.gpus() < a.gpus()) == enoughA && b.gpus() != a.gpus() ? b : a;
  }

  private double estimate(Interconnect link, int span) {
    Card card = machine.card();
    int size = span <= 4 ? 0 : 1;
    return switch (link) {
      case NVLINK -> NVLINK_SHARE * card.nvlink().eachWayGbs();
      case BRIDGE -> BRIDGE_SHARE * card.nvlink().eachWayGbs();
      case PCIE_P2P -> P2P_SHARES[size] * card.pcie().eachWayGbs();
      case PCIE_HOST -> HOST_SHARES[size] * card.pcie().eachWayGbs();
    };
  }
}
