package dev.duoka.hardware;

import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Some cards of one kind in one machine.
 *
 * @param name for example {@code 8xA100-80G-SXM}
 * @param card the kind
 * @param gpus how many
 * @param link how they are connected
 * @param domain how many of them are connected by {@code link} where that is a faster one than
 *     {@code outer}; all of them without such a difference
 * @param outer how groups larger than a domain are connected
 * @param linkShare the part of a card's NVLink rate that is there: below 1 where links are down or
 *     missing
 * @param host what they stand in
 * @param profile what was measured on it; empty where rates are the catalogue's
 */
public record Machine(
    String name,
    Card card,
    int gpus,
    Interconnect link,
    int domain,
    Interconnect outer,
    double linkShare,
    Host host,
    Optional<MachineProfile> profile) {

  /** A machine of which nothing is known but its parts. */
  public Machine(
      String name,
      Card card,
      int gpus,
      Interconnect link,
      int domain,
      Interconnect outer,
      double linkShare,
      Host host) {
    this(name, card, gpus, link, domain, outer, linkShare, host, Optional.empty());
  }

  /** The same machine with what was measured on it. */
  public Machine measured(MachineProfile of) {
    return new Machine(name, card, gpus, link, domain, outer, linkShare, host, Optional.of(of));
  }

  /** Dollars of one hour of the whole machine; empty where no rent is known. */
  public OptionalDouble rentPerHour() {
    return card.rentPrice().isPresent()
        ? OptionalDouble.of(card.rentPrice().get().usd() * gpus)
        : OptionalDouble.empty();
  }

  /** Dollars to buy the cards, without the host; empty where no price is known. */
  public OptionalDouble buyPrice() {
    return card.buyPrice().isPresent()
        ? OptionalDouble.of(card.buyPrice().get().usd() * gpus)
        : OptionalDouble.empty();
  }

  /** How the ranks of a group of so many neighbours are connected. */
  public Interconnect linkOf(int group) {
    return group <= domain ? link : outer;
  }

  /** The same machine with so many GiB of host memory. */
  public Machine withHostMemory(double gib) {
    return new Machine(
        name,
        card,
        gpus,
        link,
        domain,
        outer,
        linkShare,
        new Host(gib, host.memoryGbs(), host.watts(), host.basis()),
        profile);
  }

  /** The same machine with another number of cards. */
  public Machine withGpus(int count) {
    double share = (double) count / gpus;
    return new Machine(
        count + "x" + card.name(),
        card,
        count,
        link,
        domain == gpus ? count : Math.min(domain, count),
        outer,
        linkShare,
        new Host(host.memoryGib() * share, host.memoryGbs(), host.watts(), host.basis()),
        profile);
  }
}
