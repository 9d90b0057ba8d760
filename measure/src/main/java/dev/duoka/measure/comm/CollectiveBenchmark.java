package dev.duoka.measure.comm;

import dev.duoka.base.ByteSize;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.nccl.NcclCommunicator;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Gpus;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.train.config.ParallelSettings.Collectives;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.device.PlacedRanks;
import dev.duoka.train.device.SingleDevice;
import dev.duoka.train.device.Transport;
import dev.duoka.train.memory.MemoryCheck;
import dev.duoka.train.memory.MemoryNeed;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * Times every collective of ranks on their devices, by size and by what carries it, each beside the
 * others. Results are checked once before they are timed.
 */
public final class CollectiveBenchmark {
  /** All that the machine has. */
  private static final String ALL = "all";

  private static final int RANKS_ON_A_CPU = 2;

  private final DevicePlacement placement;
  private final Map<Transport, String> missing = new EnumMap<>(Transport.class);
  private final List<Transport> transports = new ArrayList<>();

  /**
   * What was measured.
   *
   * @param devices the names of those of the ranks
   * @param transports what carried tensors
   * @param missing what could not, and why
   * @param lines by transport, collective and size
   */
  public record Report(
      List<String> devices,
      List<Transport> transports,
      Map<Transport, String> missing,
      List<CollectiveLine> lines) {
    /** Whether every result was right. */
    public boolean isRight() {
      return lines.stream().allMatch(line -> line.wrong().isEmpty());
    }

    /** The line of a collective and a size by one transport. */
    public CollectiveLine line(Transport transport, Collective collective, long bytes) {
      return lines.stream()
          .filter(it -> it.transport() == transport && it.collective() == collective)
          .filter(it -> it.bytes() == bytes)
          .findFirst()
          .orElseThrow();
    }

    /** The sizes that were measured: what was asked for, as far as the ranks can share it. */
    public List<Long> sizes() {
      return lines.stream().map(CollectiveLine::bytes).distinct().toList();
    }
  }

  private CollectiveBenchmark(DevicePlacement placement) {
    this.placement = placement;
  }

  /**
   * Ranks on their devices.
   *
   * @param ranks how many; without a number each GPU has one, and a CPU two
   * @param device as the option says it; auto is GPUs or nothing
   * @param collectives {@code peer}, {@code nccl}, {@code copies}, {@code auto}, or {@code all}
   * @throws DuokaException when the machine has not what is asked for
   */
  public static CollectiveBenchmark of(OptionalInt ranks, String device, String collectives) {
    SingleDevice first = SingleDevice.parseForBenchmark(device);
    if (first.isMeta()) {
      throw new DuokaException(
          ErrorCode.USAGE, "--device is meta, where nothing is exchanged", "Use cpu or cuda");
    }
    int count = ranks.orElseGet(() -> first.isCuda() ? Gpus.require().size() : RANKS_ON_A_CPU);
    if (count < 2 || count > Pattern.MOST_RANKS) {
      throw new DuokaException(
          ErrorCode.USAGE,
          count == 1 ? "one rank exchanges nothing" : "--ranks is " + count,
          "Give --ranks from 2 to " + Pattern.MOST_RANKS + ", or --device cpu");
    }
    CollectiveBenchmark benchmark =
        new CollectiveBenchmark(
            DevicePlacement.choose(SingleDevice.choice(device), new Mesh(1, 1, count, 1, 1, 1)));
    benchmark.choose(collectives);
    return benchmark;
  }

  private void choose(String asked) {
    if (!asked.equals(ALL)) {
      transports.add(transport(asked));
      return;
    }
    for (Transport transport : Transport.values()) {
      try {
        transports.add(transport(transport.toString()));
      } catch (DuokaException e) {
        missing.put(transport, e.problem());
      }
    }
  }

  private Transport transport(String asked) {
    List<String> names =
        Arrays.stream(Collectives.values()).map(it -> it.name().toLowerCase(Locale.ROOT)).toList();
    if (!names.contains(asked)) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "--collectives is '" + asked + "'",
          "Use " + ALL + ", or one of " + String.join(", ", names));
    }
    Transport transport =
        Transport.of(
            Collectives.valueOf(asked.toUpperCase(Locale.ROOT)),
            placement.devices(),
            placement.devices().size());
    if (transport == Transport.NCCL) {
      NcclCommunicator.require();
    }
    return transport;
  }

  /**
   * Runs the ranks as threads, with one transport after the other.
   *
   * @param sizes in bytes
   */
  public Report run(List<Long> sizes) {
    List<Device> devices = placement.devices();
    requireMemory(devices, Collections.max(sizes));
    int threads = Math.max(1, Runtime.getRuntime().availableProcessors() / devices.size());
    List<CollectiveLine> lines = new ArrayList<>();
    for (Transport transport : transports) {
      Map<Integer, String> wrong = new ConcurrentSkipListMap<>();
      new PlacedRanks(placement, threads, transport, (_, _) -> ExchangeLedger.NONE)
          .run(
              (world, device) -> {
                List<CollectiveLine> mine =
                    new CollectiveRounds(world, device, wrong).run(transport, sizes);
                if (world.rank() == 0) {
                  lines.addAll(mine);
                }
              });
    }
    return new Report(
        devices.stream().map(Device::toString).toList(),
        List.copyOf(transports),
        Collections.unmodifiableMap(missing),
        List.copyOf(lines));
  }

  private static void requireMemory(List<Device> devices, long largest) {
    int ranks = devices.size();
    long each = CollectiveBuffers.held(CollectiveBuffers.bytes(largest, ranks), ranks);
    for (Device device : new HashSet<>(devices)) {
      int sharing = Collections.frequency(devices, device);
      MemoryCheck.require(
          "exchanging " + ByteSize.text(largest) + " between " + ranks + " ranks",
          device,
          MemoryNeed.of(Map.of(MemoryOwner.TEMPORARIES, each), sharing),
          bytes -> "Give smaller --sizes: " + ByteSize.text(bytes / sharing / 3) + " would fit");
    }
  }
}
