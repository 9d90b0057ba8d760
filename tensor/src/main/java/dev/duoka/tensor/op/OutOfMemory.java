package dev.duoka.tensor.op;

import dev.duoka.base.ByteSize;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.torch.LibTorch;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Gpus;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.OutOfMemoryException;
import dev.duoka.tensor.ThreadLedger;
import java.util.Optional;

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
   * What an operator's failure is. From LibTorch 2.13 on the text tells; below it the reason is not
   * known, and on a GPU that is all but full a failure is taken for one of memory: an operator that
   * failed for anything else fails again with less of it.
   */
  static DuokaException recognise(Device device, String problem, DuokaException cause) {
    if (cause.code() != ErrorCode.NATIVE_CALL) {
      return cause;
    }
    if (!device.isCuda()) {
      return new DuokaException(ErrorCode.NATIVE_CALL, problem, "", cause);
    }
    Optional<Gpus.CardMemory> card = LibTorch.tellsReasons() ? Optional.empty() : card(device);
    return recognise(device, problem, cause, card);
  }

  /**
   * As the other method.
   *
   * @param card what the driver says of the card's memory; empty where it says nothing any more, or
   *     the problem has the reason
   */
  static DuokaException recognise(
      Device device, String problem, DuokaException cause, Optional<Gpus.CardMemory> card) {
    Optional<Gpus.CardMemory> full = card.filter(OutOfMemory::isAllButFull);
    if (full.isPresent() || problem.contains("out of memory")) {
      String free =
          full.map(
                  memory ->
                      problem
                          + ", most likely for want of memory: "
                          + ByteSize.text(memory.free())
                          + " of "
                          + ByteSize.text(memory.total())
                          + " are free")
              .orElse(problem);
      return OutOfMemoryException.during(device, free, REMEDY, cause);
    }
    return new DuokaException(
        ErrorCode.NATIVE_CALL,
        problem + "; memory of " + device + ": " + MemoryLedger.of(device).describe(),
        "If memory is what ran out: " + REMEDY,
        cause);
  }

  /** An operator takes less at once than this part of its card. */
  private static boolean isAllButFull(Gpus.CardMemory card) {
    return card.free() < card.total() / 16;
  }

  private static Optional<Gpus.CardMemory> card(Device device) {
    try {
      return Optional.of(Gpus.memory(device));
    } catch (DuokaException e) {
      return Optional.empty(); // the device is broken: that is no want of memory
    }
  }
}
