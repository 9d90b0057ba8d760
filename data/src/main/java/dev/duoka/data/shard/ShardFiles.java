package dev.duoka.data.shard;

import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which files a shard folder consists of, all little-endian.
 *
 * <p>Each series of equal records is cut into files of {@code segmentBytes}, so that each maps as
 * one buffer and the place of a record is a division: {@code tokens-00000.bin} and so on hold token
 * ids, {@code mask-…} one bit per token (bit {@code t % 8} of byte {@code t / 8}), {@code
 * documents-…} for each document the position of its first token and the hash of its id, two longs.
 *
 * @param segmentBytes a power of two, at least 16
 */
record ShardFiles(TokenWidth width, boolean lossMask, long segmentBytes) {
  static final String TOKENS = "tokens";
  static final String MASK = "mask";
  static final String DOCUMENTS = "documents";
  static final int DOCUMENT_BYTES = 16;

  /** 256 MiB. */
  static final long DEFAULT_SEGMENT_BYTES = 1L << 28;

  static String name(String series, int number) {
    return String.format(Locale.ROOT, "%s-%05d.bin", series, number);
  }

  /** The size in bytes of every file, by name, that so many tokens and documents take. */
  Map<String, Long> sizes(long tokens, long documents) {
    Map<String, Long> sizes = new TreeMap<>();
    addSeries(sizes, TOKENS, Math.multiplyExact(tokens, width.bytes()));
    addSeries(sizes, DOCUMENTS, Math.multiplyExact(documents, DOCUMENT_BYTES));
    if (lossMask) {
      addSeries(sizes, MASK, maskBytes(tokens));
    }
    return sizes;
  }

  static long maskBytes(long tokens) {
    return (tokens + 7) / 8;
  }

  private void addSeries(Map<String, Long> sizes, String series, long bytes) {
    long left = bytes;
    for (int i = 0; left > 0; i++) {
      sizes.put(name(series, i), Math.min(left, segmentBytes));
      left -= segmentBytes;
    }
  }
}
