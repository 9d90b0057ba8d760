package dev.duoka.measure.comm;

import dev.duoka.base.ByteSize;
import dev.duoka.base.DuokaException;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.train.device.Transport;
import dev.duoka.train.memory.MemoryCheck;
import dev.duoka.train.memory.MemoryNeed;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Times every collective of ranks on their devices, by size and by what carries it, each beside the
 * others. Results are checked once before they are timed.
 */
public final class CollectiveBenchmark {
  private final MeasuredRanks ranks;

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

  private CollectiveBenchmark(MeasuredRanks ranks) {
    this.ranks = ranks;
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
    return new CollectiveBenchmark(MeasuredRanks.of(ranks, device, collectives));
  }

  /**
   * Runs the ranks as threads, with one transport after the other.
   *
   * @param sizes in bytes
   */
  public Report run(List<Long> sizes) {
    List<Device> devices = ranks.devices();
    requireMemory(devices, Collections.max(sizes));
    List<CollectiveLine> lines = new ArrayList<>();
    for (Transport transport : ranks.transports()) {
      WrongResults wrong = new WrongResults();
      ranks.run(
          transport,
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
        ranks.transports(),
        ranks.missing(),
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
