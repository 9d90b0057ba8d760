package dev.duoka.formats.ledger;

import static dev.duoka.formats.ledger.LedgerLayout.AT_BLOCK;
import static dev.duoka.formats.ledger.LedgerLayout.AT_BYTES;
import static dev.duoka.formats.ledger.LedgerLayout.AT_CAPACITY;
import static dev.duoka.formats.ledger.LedgerLayout.AT_COMPLETED;
import static dev.duoka.formats.ledger.LedgerLayout.AT_COMPLETED_NANOS;
import static dev.duoka.formats.ledger.LedgerLayout.AT_DTYPE;
import static dev.duoka.formats.ledger.LedgerLayout.AT_ELEMENTS;
import static dev.duoka.formats.ledger.LedgerLayout.AT_GROUP;
import static dev.duoka.formats.ledger.LedgerLayout.AT_ISSUED;
import static dev.duoka.formats.ledger.LedgerLayout.AT_ISSUED_NANOS;
import static dev.duoka.formats.ledger.LedgerLayout.AT_OPERATION;
import static dev.duoka.formats.ledger.LedgerLayout.AT_PEER;
import static dev.duoka.formats.ledger.LedgerLayout.AT_RANK;
import static dev.duoka.formats.ledger.LedgerLayout.AT_RECORD_BYTES;
import static dev.duoka.formats.ledger.LedgerLayout.AT_SEQUENCE;
import static dev.duoka.formats.ledger.LedgerLayout.AT_VERSION;
import static dev.duoka.formats.ledger.LedgerLayout.AT_WORLD;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;

/**
 * Writes a rank's ledger into a mapped file: what is written is there for other processes at once,
 * whatever becomes of this one. One thread. The mapping ends with the garbage collection of this
 * object.
 */
public final class LedgerWriter {
  private final MappedByteBuffer file;
  private final int capacity;
  private long issued;
  private long completed;

  /**
   * Starts a ledger; an old one of that name is overwritten.
   *
   * @param capacity how many of the last exchanges are kept
   * @throws DuokaException when the file cannot be made
   */
  public LedgerWriter(Path path, int rank, int world, int capacity) {
    this.capacity = capacity;
    long bytes = LedgerLayout.HEADER + (long) capacity * LedgerLayout.RECORD;
    try (FileChannel channel =
        FileChannel.open(
            path,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      file = channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot write the ledger of rank " + rank + ", " + path + ": " + e.getMessage(),
          "Check that the folder is writable and has " + bytes + " bytes left",
          e);
    }
    file.order(ByteOrder.LITTLE_ENDIAN);
    file.putInt(AT_VERSION, LedgerLayout.VERSION);
    file.putInt(AT_RECORD_BYTES, LedgerLayout.RECORD);
    file.putInt(AT_CAPACITY, capacity);
    file.putInt(AT_RANK, rank);
    file.putInt(AT_WORLD, world);
    VarHandle.releaseFence();
    file.putLong(0, LedgerLayout.MAGIC);
  }

  /**
   * Writes an exchange before it is made; {@code sequence} and times of the record are not read.
   *
   * @return its sequence number
   */
  public long issued(LedgerRecord record) {
    long sequence = issued + 1;
    int at = LedgerLayout.place(sequence, capacity);
    file.putLong(at + AT_SEQUENCE, 0); // whoever reads meanwhile sees no record here
    VarHandle.releaseFence();
    file.putLong(at + AT_ISSUED_NANOS, now());
    file.putLong(at + AT_COMPLETED_NANOS, 0);
    file.putLong(at + AT_BYTES, record.bytes());
    file.putLong(at + AT_ELEMENTS, record.elements());
    file.putInt(at + AT_PEER, record.peer());
    text(at + AT_OPERATION, record.operation(), LedgerLayout.OPERATION_BYTES);
    text(at + AT_DTYPE, record.dtype(), LedgerLayout.DTYPE_BYTES);
    text(at + AT_GROUP, record.group(), LedgerLayout.GROUP_BYTES);
    text(at + AT_BLOCK, record.block(), LedgerLayout.BLOCK_BYTES);
    VarHandle.releaseFence();
    file.putLong(at + AT_SEQUENCE, sequence);
    issued = sequence;
    file.putLong(AT_ISSUED, issued);
    return sequence;
  }

  /** Writes that an exchange has ended. */
  public void completed(long sequence) {
    int at = LedgerLayout.place(sequence, capacity);
    if (file.getLong(at + AT_SEQUENCE) == sequence) { // else it was overwritten long ago
      file.putLong(at + AT_COMPLETED_NANOS, now());
    }
    completed++;
    file.putLong(AT_COMPLETED, completed);
  }

  private void text(int at, String text, int length) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < length; i++) {
      file.put(at + i, i < bytes.length ? bytes[i] : 0);
    }
  }

  private static long now() {
    Instant now = Instant.now();
    return now.getEpochSecond() * 1_000_000_000L + now.getNano();
  }
}
