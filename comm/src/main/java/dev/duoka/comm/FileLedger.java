package dev.duoka.comm;

import dev.duoka.formats.ledger.LedgerRecord;
import dev.duoka.formats.ledger.LedgerWriter;
import dev.duoka.tensor.Dtype;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A ledger in a mapped file, which another process can read while the rank hangs ({@link
 * dev.duoka.formats.ledger.LedgerFile}).
 */
public final class FileLedger implements ExchangeLedger {
  /** Several steps of a model with a hundred buckets; 640 KiB. */
  private static final int CAPACITY = 4096;

  private static final long NOT_WRITTEN = 0;

  private final Path path;
  private final int rank;
  private final int world;
  private final BooleanSupplier mayWrite;
  private @Nullable LedgerWriter writer;

  /**
   * The ledger of a rank, which starts with the first exchange that may be written.
   *
   * @param mayWrite whether the file may be made; what is exchanged before is not written down
   */
  public FileLedger(Path path, int rank, int world, BooleanSupplier mayWrite) {
    this.path = path;
    this.rank = rank;
    this.world = world;
    this.mayWrite = mayWrite;
  }

  @Override
  public long issued(Exchange exchange) {
    LedgerWriter open = writer;
    if (open == null) {
      if (!mayWrite.getAsBoolean()) {
        return NOT_WRITTEN;
      }
      open = new LedgerWriter(path, rank, world, CAPACITY);
      writer = open;
    }
    Dtype dtype = exchange.dtype();
    return open.issued(
        new LedgerRecord(
            0,
            exchange.operation().toString(),
            dtype == null ? "" : dtype.toString(),
            exchange.elements(),
            exchange.bytes(),
            exchange.group().name(),
            exchange.peer() < 0 ? exchange.peer() : exchange.group().member(exchange.peer()),
            exchange.purpose(),
            0,
            0));
  }

  @Override
  public void completed(long sequence) {
    LedgerWriter open = writer;
    if (open != null && sequence != NOT_WRITTEN) {
      open.completed(sequence);
    }
  }
}
