package dev.duoka.train.device;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.launch.Neighbours;
import dev.duoka.comm.launch.RankRange;
import dev.duoka.machine.probe.LiveProbe;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Gpus;
import dev.duoka.train.config.DeviceChoice;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.BiPredicate;
import java.util.stream.IntStream;

/**
 * Which device each rank of a process computes on.
 *
 * @param firstRank of the process
 * @param devices one for each of its ranks
 * @param names the names of the GPUs in CUDA's order; empty on the CPU
 * @param reason why this device was taken
 */
public record DevicePlacement(
    int firstRank, List<Device> devices, List<String> names, String reason) {
  /** The device of one of the process's ranks. */
  public Device of(int rank) {
    return devices.get(rank - firstRank);
  }

  /**
   * What of the GPUs may make a run slower than one expects: cards of several kinds, and pairs that
   * cannot reach each other's memory.
   *
   * @param reach whether the first of two GPUs reaches the memory of the second
   */
  public List<String> notices(BiPredicate<Device, Device> reach) {
    List<String> notices = new ArrayList<>();
    List<Device> gpus = devices.stream().filter(Device::isCuda).distinct().toList();
    List<String> kinds = gpus.stream().map(gpu -> names.get(gpu.index())).distinct().toList();
    if (kinds.size() > 1) {
      notices.add(
          "the GPUs are not alike ("
              + String.join(", ", kinds)
              + "): each step takes as long as the slowest needs, and the run must fit the one with"
              + " the least memory");
    }
    for (Device from : gpus) {
      for (Device to : gpus) {
        if (from.index() < to.index() && !(reach.test(from, to) && reach.test(to, from))) {
          notices.add(
              from
                  + " and "
                  + to
                  + " cannot reach each other's memory: what they exchange passes through the"
                  + " host's, and is slow. Try parallel.collectives: nccl");
        }
      }
    }
    return notices;
  }

  /** As the other method, of a process that is alone. */
  public static DevicePlacement choose(DeviceChoice choice, int ranks) {
    return choose(choice, RankRange.all(ranks), Neighbours.NONE);
  }

  /**
   * Each rank computes on a GPU of its own, neighbouring ranks within one NVLink group as far as it
   * reaches ({@link NearGpus}); an explicit index puts all ranks on that one GPU. Processes of one
   * machine take its GPUs in their order, unless whoever started them has given each its own, so
   * that it sees no more than it needs.
   *
   * @param ranks those of the process
   * @param neighbours the processes of the run on this machine
   */
  public static DevicePlacement choose(
      DeviceChoice choice, RankRange ranks, Neighbours neighbours) {
    return switch (choice.kind()) {
      case CPU -> onCpu(ranks, "asked for");
      case CUDA -> onGpus(choice, ranks, neighbours, Gpus.require(), "asked for");
      case AUTO -> {
        Gpus.Answer gpus = Gpus.find();
        yield gpus.usable()
            ? onGpus(choice, ranks, neighbours, gpus.names(), "a usable GPU was found")
            : onCpu(ranks, "no usable GPU: " + gpus.reason());
      }
    };
  }

  /** As {@link #choose}, but where there are fewer GPUs than ranks neighbours share them. */
  public static DevicePlacement shared(DeviceChoice choice, int ranks) {
    if (choice.kind() == DeviceChoice.Kind.CPU || choice.index().isPresent()) {
      return choose(choice, ranks);
    }
    List<String> names = Gpus.find().names();
    if (names.isEmpty() || names.size() >= ranks) {
      return choose(choice, ranks);
    }
    int gpus = names.size();
    return new DevicePlacement(
        0,
        IntStream.range(0, ranks).mapToObj(rank -> Device.cuda(rank * gpus / ranks)).toList(),
        names,
        ranks + " ranks share " + gpus + " GPUs");
  }

  private static DevicePlacement onCpu(RankRange ranks, String reason) {
    return new DevicePlacement(
        ranks.first(), Collections.nCopies(ranks.count(), Device.CPU), List.of(), reason);
  }

  private static DevicePlacement onGpus(
      DeviceChoice choice,
      RankRange ranks,
      Neighbours neighbours,
      List<String> names,
      String reason) {
    int count = ranks.count();
    if (choice.index().isPresent()) {
      int index = choice.index().getAsInt();
      if (index >= names.size()) {
        throw new DuokaException(
            ErrorCode.DEVICE,
            "device cuda:"
                + index
                + " was asked for, but this machine has "
                + names.size()
                + " usable GPUs",
            "Use cuda:0 to cuda:" + (names.size() - 1));
      }
      return new DevicePlacement(
          ranks.first(), Collections.nCopies(count, Device.cuda(index)), names, reason);
    }
    Seen seen =
        seen(count, neighbours, names.size(), System.getenv("CUDA_VISIBLE_DEVICES") != null);
    if (seen.ranks() == 1) {
      return new DevicePlacement(ranks.first(), List.of(Device.cuda(0)), names, reason);
    }
    Optional<List<Integer>> near =
        NearGpus.of(seen.ranks(), Gpus.pciBusIds(), LiveProbe.topology());
    List<Integer> gpus =
        near.orElseGet(() -> IntStream.range(0, seen.ranks()).boxed().toList())
            .subList(seen.first(), seen.first() + count);
    return new DevicePlacement(
        ranks.first(),
        gpus.stream().map(Device::cuda).toList(),
        names,
        reason
            + (near.isPresent()
                ? ", and ranks lie on GPUs " + gpus + " as NVLink groups them"
                : ", and ranks lie on the first GPUs: how they are linked is not known"));
  }

  /**
   * The ranks that share the GPUs that a process sees.
   *
   * @param first the process's first one among them
   * @param ranks how many they are
   */
  record Seen(int first, int ranks) {}

  /**
   * All of the machine's ranks where there is a GPU for each; else those of the process alone.
   *
   * @param gpus how many the process sees
   * @param ownGpus whether whoever started the process has chosen those that it sees
   */
  static Seen seen(int ranks, Neighbours neighbours, int gpus, boolean ownGpus) {
    if (neighbours.count() * ranks <= gpus) {
      return new Seen(neighbours.index() * ranks, neighbours.count() * ranks);
    }
    if (neighbours.count() > 1 && ranks <= gpus && ownGpus) {
      return new Seen(0, ranks);
    }
    boolean alone = neighbours.count() == 1;
    int wanted = neighbours.count() * ranks;
    throw new DuokaException(
        ErrorCode.DEVICE,
        wanted
            + " ranks"
            + (alone ? "" : " of " + neighbours.count() + " processes here")
            + " want a GPU each, but this machine has "
            + gpus,
        "Set parallel.data and its like so that their product is at most "
            + gpus
            + ", or device: cuda:0 to share one");
  }
}
