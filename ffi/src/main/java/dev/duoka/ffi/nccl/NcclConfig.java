package dev.duoka.ffi.nccl;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * {@code ncclConfig_t} for communicators whose calls never block. The library reads as many bytes
 * as {@code size} says, and {@code size} must be that of the version that is named: fields that a
 * version does not know are left at their undefined value.
 */
final class NcclConfig {
  private static final int BYTES = 96;
  private static final int MAGIC = 0xcafebeef;
  private static final int UNDEFINED = Integer.MIN_VALUE;
  private static final int BLOCKING = 16;
  private static final int NET_NAME = 32;
  private static final int COMM_NAME = 48;

  private NcclConfig() {}

  /** The configuration as the library of this version reads it. */
  static MemorySegment nonblocking(Arena arena, int version) {
    MemorySegment config = arena.allocate(BYTES, Long.BYTES);
    for (int offset = BLOCKING; offset < BYTES; offset += Integer.BYTES) {
      config.set(JAVA_INT, offset, UNDEFINED);
    }
    config.set(JAVA_LONG, NET_NAME, 0);
    config.set(JAVA_LONG, COMM_NAME, 0);
    config.set(JAVA_LONG, 0, size(version));
    config.set(JAVA_INT, 8, MAGIC);
    config.set(JAVA_INT, 12, version);
    config.set(JAVA_INT, BLOCKING, 0);
    return config;
  }

  private static long size(int version) {
    if (version >= 23_000) {
      return 96;
    }
    if (version >= 22_900) {
      return 88;
    }
    return version >= 22_800 ? 80 : 72;
  }
}
