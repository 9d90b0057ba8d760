package dev.duoka.train.device;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.comm.nccl.NcclCommunicator;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.train.config.ParallelSettings;
import java.time.Duration;
import java.util.function.BiConsumer;

/**
 * Ranks as threads of this process, each on the device that it was placed on.
 *
 * @param placement one device for each
 * @param threads CPU threads of each
 * @param nccl whether tensors go by NCCL, for which each rank needs a GPU of its own
 * @param ledgers to which each writes what it exchanges
 */
public record PlacedRanks(DevicePlacement placement, int threads, boolean nccl, Ledgers ledgers) {
  /** What tensors are carried by when ranks copy them from each other. */
  private static final String COPIES = "copies";

  /** Makes the ledger of a rank. */
  @FunctionalInterface
  public interface Ledgers {
    /** The ledger of what a transport carries: {@code copies} or {@code nccl}. */
    ExchangeLedger of(String transport, int rank);
  }

  /** How long the host of a rank waits for the others in one call of NCCL. */
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(2);

  /**
   * Refuses NCCL where a rank has no GPU of its own.
   *
   * @throws DuokaException with {@link ErrorCode#CONFIG}
   */
  public PlacedRanks {
    long devices = placement.devices().stream().distinct().count();
    if (nccl && (devices < placement.devices().size() || !placement.of(0).isCuda())) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "collectives is nccl, but "
              + placement.devices().size()
              + " ranks lie on "
              + placement.devices().stream().distinct().toList(),
          "NCCL wants a GPU for each rank; set parallel.collectives to copies");
    }
  }

  /** Ranks that share the processors of this machine, and exchange as a section says. */
  public static PlacedRanks of(ParallelSettings parallel, DevicePlacement placement) {
    int ranks = placement.devices().size();
    return new PlacedRanks(
        placement,
        Math.max(1, Runtime.getRuntime().availableProcessors() / ranks),
        usesNccl(parallel),
        (_, _) -> ExchangeLedger.NONE);
  }

  /** Whether the ranks of a section exchange by NCCL. */
  public static boolean usesNccl(ParallelSettings parallel) {
    return parallel.collectives() == ParallelSettings.Collectives.NCCL && parallel.ranks() > 1;
  }

  /** Runs all of them and returns when they have ended; throws the first failure. */
  public void run(BiConsumer<Communicator, Device> body) {
    int size = placement.devices().size();
    LocalRanks.run(
        size,
        rank -> ledgers.of(COPIES, rank),
        hosts -> {
          Device device = placement.of(hosts.rank());
          ComputeThread.prepare(device, threads, size);
          if (!nccl) {
            body.accept(hosts, device);
            return;
          }
          ExchangeLedger ledger = ledgers.of("nccl", hosts.rank());
          try (NcclCommunicator ranks =
              NcclCommunicator.over(hosts, device.index(), LONGEST_WAIT, ledger)) {
            body.accept(ranks, device);
            ranks.agreement().barrier(); // nobody takes its communicator down while others use it
          }
        });
  }
}
