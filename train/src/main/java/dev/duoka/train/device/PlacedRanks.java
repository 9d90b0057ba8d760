package dev.duoka.train.device;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.local.LocalRanks;
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
 * @param transport what carries their tensors
 * @param ledgers to which each writes what it exchanges
 */
public record PlacedRanks(
    DevicePlacement placement, int threads, Transport transport, Ledgers ledgers) {
  /** Makes the ledger of a rank. */
  @FunctionalInterface
  public interface Ledgers {
    /** The ledger of what a transport carries. */
    ExchangeLedger of(Transport transport, int rank);
  }

  /** How long the host of a rank waits for the others in one call. */
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(2);

  /** Ranks that share the processors of this machine, and exchange as a section says. */
  public static PlacedRanks of(ParallelSettings parallel, DevicePlacement placement) {
    int ranks = placement.devices().size();
    return new PlacedRanks(
        placement,
        Math.max(1, Runtime.getRuntime().availableProcessors() / ranks),
        Transport.of(parallel.collectives(), placement.devices(), ranks),
        (_, _) -> ExchangeLedger.NONE);
  }

  /** Runs all of them and returns when they have ended; throws the first failure. */
  public void run(BiConsumer<Communicator, Device> body) {
    int size = placement.devices().size();
    LocalRanks.run(
        size,
        rank -> ledgers.of(Transport.COPIES, rank),
        hosts -> {
          Device device = placement.of(hosts.rank());
          ComputeThread.prepare(device, threads, size);
          ExchangeLedger ledger =
              transport == Transport.COPIES
                  ? ExchangeLedger.NONE
                  : ledgers.of(transport, hosts.rank());
          transport.with(
              hosts,
              device,
              LONGEST_WAIT,
              ledger,
              ranks -> {
                body.accept(ranks, device);
                return ranks.size();
              });
        });
  }
}
