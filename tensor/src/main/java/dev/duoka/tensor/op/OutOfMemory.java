package dev.duoka.tensor.op;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.OutOfMemoryException;
import dev.duoka.tensor.ThreadLedger;

/** Tells memory exhaustion from other native failures, and says what fills the memory. */
final class OutOfMemory {
  /** Who knows what the memory was for says it better. */
  private static final String REMEDY =
      "Do less at a time, share it out over more devices, or take one with more memory";

  private OutOfMemory() {}

  /** Refuses an allocation beyond the limit of the calling thread, if it has one. */
  static void requireRoom(Device device, long bytes) {
    ThreadLedger.requireRoom(device, bytes, REMEDY);
  }

  /** A failed allocation of {@code bytes}. */
  static DuokaException allocation(Device device, long bytes, DuokaException cause) {
    if (cause.code() != ErrorCode.NATIVE_CALL) {
      return cause; // no allocation was tried: the library could not be loaded
    }
    return OutOfMemoryException.of(device, bytes, REMEDY, cause);
  }

  /**
   * Below LibTorch 2.13 the reason of a failure is not known, so on a GPU the memory account is
   * always part of the message; from 2.13 on the text decides the code.
   */
  static DuokaException recognise(Device device, String problem, DuokaException cause) {
    if (cause.code() != ErrorCode.NATIVE_CALL) {
      return cause;
    }
    if (!device.isCuda()) {
      return new DuokaException(ErrorCode.NATIVE_CALL, problem, "", cause);
    }
    boolean exhausted = problem.contains("out of memory");
    return new DuokaException(
        exhausted ? ErrorCode.OUT_OF_MEMORY : ErrorCode.NATIVE_CALL,
        problem + "; memory of " + device + ": " + MemoryLedger.of(device).describe(),
        exhausted ? REMEDY : "If memory is what ran out: " + REMEDY,
        cause);
  }
}
