package dev.duoka.formats.ledger;

/**
 * The form of a rank's ledger: a header of {@value #HEADER} bytes and a ring of records of {@value
 * #RECORD} bytes, all numbers little-endian. The record of sequence number s is in place {@code (s
 * − 1) mod capacity}; a reader that finds another number there reads a record that was overwritten,
 * or one that is being written.
 *
 * <p>Texts are UTF-8, filled up with zeros and cut at their field's end.
 */
final class LedgerLayout {
  static final long MAGIC = 0x31474c414b4f5544L; // "DUOKALG1" in the file
  static final int VERSION = 1;

  static final int HEADER = 64;
  static final int AT_VERSION = 8;
  static final int AT_RECORD_BYTES = 12;
  static final int AT_CAPACITY = 16;
  static final int AT_RANK = 20;
  static final int AT_WORLD = 24;
  static final int AT_ISSUED = 32;
  static final int AT_COMPLETED = 40;

  static final int RECORD = 160;
  static final int AT_SEQUENCE = 0;
  static final int AT_ISSUED_NANOS = 8;
  static final int AT_COMPLETED_NANOS = 16;
  static final int AT_BYTES = 24;
  static final int AT_ELEMENTS = 32;
  static final int AT_PEER = 40;
  static final int AT_OPERATION = 48;
  static final int OPERATION_BYTES = 16;
  static final int AT_DTYPE = 64;
  static final int DTYPE_BYTES = 16;
  static final int AT_GROUP = 80;
  static final int GROUP_BYTES = 32;
  static final int AT_BLOCK = 112;
  static final int BLOCK_BYTES = 48;

  private LedgerLayout() {}

  static int place(long sequence, int capacity) {
    return HEADER + Math.toIntExact((sequence - 1) % capacity) * RECORD;
  }
}
