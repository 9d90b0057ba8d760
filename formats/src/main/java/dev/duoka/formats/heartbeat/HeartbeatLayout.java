package dev.duoka.formats.heartbeat;

/**
 * The form of a heartbeat: {@value #BYTES} bytes, all numbers little-endian. The number of writes
 * is odd while one goes on; a reader that finds it odd, or another one afterwards, reads again.
 */
final class HeartbeatLayout {
  static final long MAGIC = 0x31424844414b4f55L;
  static final int BYTES = 128;
  static final int AT_WRITES = 8;
  static final int AT_PID = 16;
  static final int AT_RANK = 24;
  static final int AT_WORLD = 28;
  static final int AT_PHASE = 32;
  static final int AT_STEP = 40;
  static final int AT_TOTAL_STEPS = 48;
  static final int AT_BEATS = 56;
  static final int AT_BYTES = 64;
  static final int AT_PHASE_NANOS = 72;

  private HeartbeatLayout() {}
}
