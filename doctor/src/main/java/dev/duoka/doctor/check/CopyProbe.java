package dev.duoka.doctor.check;

import dev.duoka.ffi.cuda.HostMemory;
import java.nio.ByteBuffer;

/**
 * Copies a pattern and compares what arrives, byte by byte: links that lose or invent bytes exist,
 * and no status register tells.
 */
final class CopyProbe {
  private static final int TIMED_COPIES = 4;

  private final int bytes;

  /**
   * What came of a copy.
   *
   * @param firstWrong the offset of the first byte that differs; −1 when none does
   * @param seconds the time of one copy, the fastest of a few
   */
  record Outcome(int bytes, long firstWrong, double seconds) {
    /** Gigabytes (10⁹ bytes) per second. */
    double gigabytesPerSecond() {
      return bytes / seconds / 1e9;
    }
  }

  /**
   * @param bytes how much to copy, a multiple of 8
   */
  CopyProbe(int bytes) {
    if (bytes <= 0 || bytes % Long.BYTES != 0) {
      throw new IllegalArgumentException(bytes + " is not a positive multiple of 8");
    }
    this.bytes = bytes;
  }

  /**
   * Sends a pattern along a route. The target is filled with other bytes first, so that a copy that
   * does nothing shows.
   */
  Outcome measure(CopyRoute route) {
    try (HostMemory sent = new HostMemory(bytes);
        HostMemory arrived = new HostMemory(bytes)) {
      fill(sent.bytes(), route.seed());
      route.clear(arrived);
      route.send(sent);
      double best = Double.MAX_VALUE;
      for (int i = 0; i < TIMED_COPIES; i++) {
        long start = System.nanoTime();
        route.copy();
        best = Math.min(best, (System.nanoTime() - start) / 1e9);
      }
      route.receive(arrived);
      return new Outcome(bytes, sent.bytes().mismatch(arrived.bytes()), Math.max(best, 1e-9));
    }
  }

  /** Numbers without a period that a shifted or repeated block could hide in. */
  private static void fill(ByteBuffer pattern, long seed) {
    long state = seed * 0x9e3779b97f4a7c15L | 1;
    while (pattern.hasRemaining()) {
      state ^= state << 13;
      state ^= state >>> 7;
      state ^= state << 17;
      pattern.putLong(state);
    }
  }
}
