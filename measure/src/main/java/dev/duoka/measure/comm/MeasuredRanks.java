package dev.duoka.measure.comm;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.nccl.NcclCommunicator;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Gpus;
import dev.duoka.train.config.ParallelSettings.Collectives;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.device.PlacedRanks;
import dev.duoka.train.device.SingleDevice;
import dev.duoka.train.device.Transport;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BiConsumer;

/**
 * Ranks whose exchanges are measured: where they lie, and what of this machine can carry tensors
 * between them.
 */
final class MeasuredRanks {
  /** All that the machine has. */
  private static final String ALL = "all";

  private static final int RANKS_ON_A_CPU = 2;

  private final DevicePlacement placement;
  private final Map<Transport, String> missing = new EnumMap<>(Transport.class);
  private final List<Transport> transports = new ArrayList<>();

  private MeasuredRanks(DevicePlacement placement) {
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
  static MeasuredRanks of(OptionalInt ranks, String device, String collectives) {
    SingleDevice first = SingleDevice.parseToMeasure(device);
    int count = ranks.orElseGet(() -> first.isCuda() ? Gpus.require().size() : RANKS_ON_A_CPU);
    if (count < 2 || count > Pattern.MOST_RANKS) {
      throw new DuokaException(
          ErrorCode.USAGE,
          count == 1 ? "one rank exchanges nothing" : "--ranks is " + count,
          "Give --ranks from 2 to "
              + Pattern.MOST_RANKS
              + (first.isCuda() ? ", or --device cpu" : ""));
    }
    MeasuredRanks measured =
        new MeasuredRanks(
            DevicePlacement.choose(SingleDevice.choice(device), new Mesh(1, 1, count, 1, 1, 1)));
    measured.choose(collectives);
    return measured;
  }

  private void choose(String asked) {
    if (!asked.equals(ALL)) {
      transports.add(transport(asked));
      return;
    }
    for (Transport transport : Transport.values()) {
      try {
        Optional<String> obstacle = transport.obstacle(placement.devices());
        obstacle.ifPresent(why -> missing.put(transport, why));
        if (obstacle.isEmpty()) {
          transports.add(withLibrary(transport));
        }
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
    Collectives kind = Collectives.valueOf(asked.toUpperCase(Locale.ROOT));
    if (kind == Collectives.AUTO) {
      return withLibrary(Transport.of(kind, placement.devices(), placement.devices().size()));
    }
    Transport transport = Transport.valueOf(kind.name());
    transport
        .obstacle(placement.devices())
        .ifPresent(
            why -> {
              throw new DuokaException(
                  ErrorCode.USAGE,
                  "--collectives is " + asked + ", but " + why,
                  "Use " + ALL + " or auto: they take what the machine has");
            });
    return withLibrary(transport);
  }

  private static Transport withLibrary(Transport transport) {
    if (transport == Transport.NCCL) {
      NcclCommunicator.require();
    }
    return transport;
  }

  /** Of each rank. */
  List<Device> devices() {
    return placement.devices();
  }

  /** What carries tensors, in the order of the enum. */
  List<Transport> transports() {
    return List.copyOf(transports);
  }

  /** What cannot, and why. */
  Map<Transport, String> missing() {
    return Collections.unmodifiableMap(missing);
  }

  /** Runs the ranks as threads that exchange by one transport, and returns when all have ended. */
  void run(Transport transport, BiConsumer<Communicator, Device> rank) {
    int threads = Math.max(1, Runtime.getRuntime().availableProcessors() / devices().size());
    new PlacedRanks(placement, threads, transport, (_, _) -> ExchangeLedger.NONE).run(rank);
  }
}
