package dev.duoka.train.device;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Plural;
import dev.duoka.comm.launch.Neighbours;
import dev.duoka.comm.launch.RankRange;
import dev.duoka.machine.probe.LiveProbe;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.mesh.MeshExchange;
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

  /** Whether the process's ranks compute on GPUs. */
  public boolean isOnGpus() {
    return devices.getFirst().isCuda();
  }

  /** Whether some of them are on the same device. */
  public boolean sharesDevices() {
    return devices.stream().distinct().count() < devices.size();
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
  public static DevicePlacement choose(DeviceChoice choice, Mesh mesh) {
    return choose(choice, mesh, RankRange.all(mesh.size()), Neighbours.NONE);
  }

  /**
   * Each rank computes on a GPU of its own, those that exchange most over the fastest links ({@link
   * SeenGpus#order}) unless the choice names a GPU for each; one explicit index puts all ranks on
   * that GPU. Processes of one machine take its GPUs in their order, unless whoever started them
   * has given each its own, so that it sees no more than it needs.
   *
   * @param ranks those of the process
   * @param neighbours the processes of the run on this machine
   */
  public static DevicePlacement choose(
      DeviceChoice choice, Mesh mesh, RankRange ranks, Neighbours neighbours) {
    return switch (choice.kind()) {
      case CPU -> onCpu(ranks, "asked for");
      case CUDA -> onGpus(choice, mesh, ranks, neighbours, Gpus.require(), "asked for");
      case AUTO -> {
        Gpus.Answer gpus = Gpus.find();
        yield gpus.usable()
            ? onGpus(choice, mesh, ranks, neighbours, gpus.names(), "a usable GPU was found")
            : onCpu(ranks, "no usable GPU: " + gpus.reason());
      }
    };
  }

  /** As {@link #choose}, but where there are fewer GPUs than ranks neighbours share them. */
  public static DevicePlacement shared(DeviceChoice choice, Mesh mesh) {
    if (choice.kind() == DeviceChoice.Kind.CPU || !choice.gpus().isEmpty()) {
      return choose(choice, mesh);
    }
    List<String> names = Gpus.find().names();
    int ranks = mesh.size();
    if (names.isEmpty() || names.size() >= ranks) {
      return choose(choice, mesh);
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
      Mesh mesh,
      RankRange ranks,
      Neighbours neighbours,
      List<String> names,
      String reason) {
    int count = ranks.count();
    requireThere(choice, names.size());
    if (choice.index().isPresent()) {
      Device one = Device.cuda(choice.index().getAsInt());
      return new DevicePlacement(ranks.first(), Collections.nCopies(count, one), names, reason);
    }
    Seen seen =
        seen(ranks, neighbours, names.size(), System.getenv("CUDA_VISIBLE_DEVICES") != null, mesh);
    if (seen.ranks() == 1 && choice.gpus().isEmpty()) {
      return new DevicePlacement(ranks.first(), List.of(Device.cuda(0)), names, reason);
    }
    Optional<List<Integer>> chosen =
        choice.gpus().isEmpty() ? Optional.empty() : Optional.of(named(choice, seen));
    Optional<List<Integer>> near =
        chosen.or(
            () ->
                SeenGpus.of(Gpus.pciBusIds(), LiveProbe.topology())
                    .map(gpus -> gpus.order(mesh, ranks.first() - seen.first(), seen.ranks())));
    List<Integer> gpus =
        near.orElseGet(() -> SeenGpus.plain(seen.ranks()))
            .subList(seen.first(), seen.first() + count);
    String why =
        chosen.isPresent()
            ? ", and ranks lie on GPUs " + gpus + " as the run file says"
            : near.isPresent()
                ? ", and ranks lie on GPUs " + gpus + " by the links between them"
                : ", and ranks lie on the first GPUs: how they are linked is not known";
    return new DevicePlacement(
        ranks.first(), gpus.stream().map(Device::cuda).toList(), names, reason + why);
  }

  private static void requireThere(DeviceChoice choice, int gpus) {
    for (int gpu : choice.gpus()) {
      if (gpu >= gpus) {
        throw new DuokaException(
            ErrorCode.DEVICE,
            "device cuda:"
                + gpu
                + " was asked for, but this machine has "
                + Plural.of(gpus, "usable GPU"),
            "Use cuda:0" + (gpus == 1 ? "" : " to cuda:" + (gpus - 1)));
      }
    }
  }

  private static List<Integer> named(DeviceChoice choice, Seen seen) {
    if (choice.gpus().size() < seen.ranks()) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "device " + choice + " names fewer GPUs than the " + seen.ranks() + " ranks here",
          "Name one for each rank, or set device: cuda to let the links decide");
    }
    return choice.gpus();
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
  static Seen seen(RankRange held, Neighbours neighbours, int gpus, boolean ownGpus, Mesh mesh) {
    int ranks = held.count();
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
        nearest(mesh, gpus * held.world() / wanted) + ", or device: cuda:0 to share one");
  }

  /** The largest part of a mesh that fits so many GPUs of all of a run's machines together. */
  private static String nearest(Mesh mesh, int gpus) {
    return "Nearest valid: parallel " + MeshExchange.text(mesh.within(Math.max(1, gpus)), mesh);
  }
}
