package dev.duoka.formats.ledger;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A rank's ledger as another process finds it.
 *
 * @param rank whose it is
 * @param world how many ranks there are
 * @param issued exchanges that were ever issued
 * @param completed those of them that ended
 * @param records the last of them that are still in the file, oldest first
 */
public record LedgerFile(
    int rank, int world, long issued, long completed, List<LedgerRecord> records) {
  public LedgerFile {
    records = List.copyOf(records);
  }

  /**
   * Reads a ledger, of a rank that may be writing on.
   *
   * @throws DuokaException when the file cannot be read or is none
   */
  public static LedgerFile read(Path path) {
    ByteBuffer file;
    try {
      file = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read the ledger " + path + ": " + e.getMessage(), "", e);
    }
    if (file.capacity() < LedgerLayout.HEADER || file.getLong(0) != LedgerLayout.MAGIC) {
      throw damaged(path, "it does not begin as one");
    }
    int version = file.getInt(LedgerLayout.AT_VERSION);
    int recordBytes = file.getInt(LedgerLayout.AT_RECORD_BYTES);
    int capacity = file.getInt(LedgerLayout.AT_CAPACITY);
    if (version != LedgerLayout.VERSION || recordBytes != LedgerLayout.RECORD) {
      throw damaged(path, "its version is " + version + ", its records have " + recordBytes);
    }
    long issued = file.getLong(LedgerLayout.AT_ISSUED);
    if (capacity < 1
        || issued < 0
        || file.capacity() < LedgerLayout.HEADER + (long) capacity * LedgerLayout.RECORD) {
      throw damaged(path, "it is shorter than its " + capacity + " records");
    }
    List<LedgerRecord> records = new ArrayList<>();
    for (long sequence = Math.max(1, issued - capacity + 1); sequence <= issued; sequence++) {
      int at = LedgerLayout.place(sequence, capacity);
      if (file.getLong(at + LedgerLayout.AT_SEQUENCE) == sequence) {
        records.add(record(file, at));
      }
    }
    return new LedgerFile(
        file.getInt(LedgerLayout.AT_RANK),
        file.getInt(LedgerLayout.AT_WORLD),
        issued,
        file.getLong(LedgerLayout.AT_COMPLETED),
        records);
  }

  /**
   * How far a ledger is, as one number that grows with each exchange that begins or ends; quick.
   *
   * @return −1 where there is no ledger
   */
  public static long progress(Path path) {
    ByteBuffer head = ByteBuffer.allocate(LedgerLayout.HEADER).order(ByteOrder.LITTLE_ENDIAN);
    try (SeekableByteChannel file = Files.newByteChannel(path)) {
      while (head.hasRemaining() && file.read(head) >= 0) {
        // Goes on until the header is there, or the file ends.
      }
    } catch (IOException e) {
      return -1;
    }
    return head.hasRemaining() || head.getLong(0) != LedgerLayout.MAGIC
        ? -1
        : head.getLong(LedgerLayout.AT_ISSUED) + head.getLong(LedgerLayout.AT_COMPLETED);
  }

  private static LedgerRecord record(ByteBuffer file, int at) {
    return new LedgerRecord(
        file.getLong(at + LedgerLayout.AT_SEQUENCE),
        text(file, at + LedgerLayout.AT_OPERATION, LedgerLayout.OPERATION_BYTES),
        text(file, at + LedgerLayout.AT_DTYPE, LedgerLayout.DTYPE_BYTES),
        file.getLong(at + LedgerLayout.AT_ELEMENTS),
        file.getLong(at + LedgerLayout.AT_BYTES),
        text(file, at + LedgerLayout.AT_GROUP, LedgerLayout.GROUP_BYTES),
        file.getInt(at + LedgerLayout.AT_PEER),
        text(file, at + LedgerLayout.AT_BLOCK, LedgerLayout.BLOCK_BYTES),
        file.getLong(at + LedgerLayout.AT_ISSUED_NANOS),
        file.getLong(at + LedgerLayout.AT_COMPLETED_NANOS));
  }

  private static String text(ByteBuffer file, int at, int length) {
    byte[] bytes = new byte[length];
    file.get(at, bytes);
    int end = 0;
    while (end < length && bytes[end] != 0) {
      end++;
    }
    return new String(bytes, 0, end, StandardCharsets.UTF_8);
  }

  private static DuokaException damaged(Path path, String why) {
    return new DuokaException(
        ErrorCode.FORMAT,
        path + " is no ledger of this version: " + why,
        "Read it with the version of duoka that wrote it");
  }
}
