package dev.duoka.train.device;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.nccl.NcclCommunicator;
import dev.duoka.comm.peer.PeerCommunicator;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Gpus;
import dev.duoka.train.config.ParallelSettings.Collectives;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BiPredicate;
import java.util.function.Function;

/** What carries the tensors of ranks whose hosts talk to each other already. */
public enum Transport {
  /** The hosts' own: copies from card to card, or the memory of the CPU. */
  COPIES,
  /** Kernels that read the other cards' memory. */
  PEER,
  /** NVIDIA's library. */
  NCCL;

  /** As the other method, with this machine's own answer to which card reaches which. */
  public static Transport of(Collectives asked, List<Device> devices, int ranks) {
    return of(asked, devices, ranks, Gpus::reaches);
  }

  /**
   * What the ranks of a run are to use.
   *
   * @param devices of the ranks of this process
   * @param ranks of the run, which may have several processes
   * @param reach whether the first of two GPUs reaches the memory of the second
   * @throws DuokaException of code {@code CONFIG} when what is asked for cannot be
   */
  static Transport of(
      Collectives asked, List<Device> devices, int ranks, BiPredicate<Device, Device> reach) {
    if (ranks == 1) {
      return COPIES;
    }
    return switch (asked) {
      case COPIES -> COPIES;
      case NCCL -> possible(NCCL, devices, ranks, reach);
      case PEER -> possible(PEER, devices, ranks, reach);
      case AUTO -> {
        if (!haveOwnCards(devices)) {
          yield COPIES;
        }
        yield PEER.obstacle(devices, ranks, reach).isEmpty() ? PEER : NCCL;
      }
    };
  }

  private static Transport possible(
      Transport asked, List<Device> devices, int ranks, BiPredicate<Device, Device> reach) {
    asked
        .obstacle(devices, ranks, reach)
        .ifPresent(
            obstacle -> {
              throw new DuokaException(
                  ErrorCode.CONFIG,
                  "parallel.collectives is " + asked + ", but " + obstacle.why(),
                  obstacle.remedy());
            });
    return asked;
  }

  /**
   * What keeps ranks from a transport.
   *
   * @param why half a sentence, for example {@code 2 ranks lie on [cpu], not on a GPU each}
   * @param remedy for a run file
   */
  private record Obstacle(String why, String remedy) {}

  /**
   * Why this carries nothing between ranks of one process, for example {@code 2 ranks lie on [cpu],
   * not on a GPU each}; empty where it can, if its library is there.
   *
   * @param devices of the ranks
   */
  public Optional<String> obstacle(List<Device> devices) {
    return obstacle(devices, devices.size(), Gpus::reaches).map(Obstacle::why);
  }

  private Optional<Obstacle> obstacle(
      List<Device> devices, int ranks, BiPredicate<Device, Device> reach) {
    if (this == COPIES) {
      return Optional.empty();
    }
    if (!haveOwnCards(devices)) {
      return Optional.of(
          new Obstacle(
              devices.size()
                  + " ranks lie on "
                  + devices.stream().distinct().toList()
                  + ", not on a GPU each",
              "Set parallel.collectives to auto, or to copies"));
    }
    if (this == NCCL) {
      return Optional.empty();
    }
    if (devices.size() < ranks) {
      return Optional.of(
          new Obstacle(
              "of " + ranks + " ranks " + devices.size() + " are in this process",
              "Set parallel.collectives to nccl, or launch.ranks_per_process to all ranks of the"
                  + " machine"));
    }
    List<String> apart = apart(devices, reach);
    return apart.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Obstacle(
                String.join(", ", apart) + " cannot reach each other's memory",
                "Set parallel.collectives to auto or nccl; './duoka doctor' says what stands"
                    + " between the cards"));
  }

  private static boolean haveOwnCards(List<Device> devices) {
    return devices.getFirst().isCuda() && devices.stream().distinct().count() == devices.size();
  }

  private static List<String> apart(List<Device> devices, BiPredicate<Device, Device> reach) {
    return devices.stream()
        .flatMap(
            from ->
                devices.stream()
                    .filter(to -> from.index() < to.index())
                    .filter(to -> !(reach.test(from, to) && reach.test(to, from)))
                    .map(to -> from + " and " + to))
        .toList();
  }

  /**
   * Runs something on the ranks' communicator of this transport, then waits for all of them, so
   * that nobody takes it down while others use it. Collective.
   *
   * @param hosts the ranks; borrowed
   * @param device of this rank
   * @param limit how long a host waits for the others
   * @param ledger to which the rank writes what it exchanges, where the hosts' own does not
   */
  public <T> T with(
      Communicator hosts,
      Device device,
      Duration limit,
      ExchangeLedger ledger,
      Function<Communicator, T> body) {
    if (this == COPIES) {
      return body.apply(hosts);
    }
    try (Communicator ranks =
        this == NCCL
            ? NcclCommunicator.over(hosts, device.index(), limit, ledger)
            : PeerCommunicator.over(hosts, device.index(), ledger)) {
      T result = body.apply(ranks);
      ranks.agreement().barrier();
      return result;
    }
  }

  /** For example {@code copies}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
