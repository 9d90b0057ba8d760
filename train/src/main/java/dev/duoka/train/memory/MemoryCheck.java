package dev.duoka.train.memory;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.tensor.Device;
import java.util.Optional;
import java.util.function.LongFunction;

/**
 * Compares memory that is about to be taken with what is free, for everything that allocates a
 * model. On the host the alternative is the kernel's out-of-memory killer, which says nothing.
 *
 * <p>{@code -Dduoka.memoryCheck=false} turns it off, for hosts that count their memory otherwise.
 */
public final class MemoryCheck {
  private static final boolean ENABLED =
      Boolean.parseBoolean(System.getProperty("duoka.memoryCheck", "true"));

  /** What the program takes of the host beside tensors: its heap, code and threads. */
  private static final long PROGRAM = 256L << 20;

  private MemoryCheck() {}

  /**
   * Refuses what does not fit.
   *
   * @param what needs the memory, as the subject of a sentence
   * @param need of the device's memory
   * @param fits says what would fit into so many bytes, as the next step; asked for a refusal alone
   * @throws DuokaException with the need by owner, what is free by which limit, and what would fit
   */
  public static void require(
      String what, Device device, MemoryNeed need, LongFunction<String> fits) {
    if (ENABLED) {
      Optional<FreeMemory> free = FreeMemory.of(device);
      if (free.isPresent()) {
        require(what, device, need, free.get(), fits);
      }
    }
  }

  static void require(
      String what, Device device, MemoryNeed tensors, FreeMemory free, LongFunction<String> fits) {
    long program = device.isCuda() ? 0 : PROGRAM;
    MemoryNeed need = program == 0 ? tensors : tensors.plus("the program", program);
    if (need.bytes() > free.bytes()) {
      throw new DuokaException(
          ErrorCode.OUT_OF_MEMORY,
          what
              + " needs "
              + need.text()
              + (device.isCuda() ? " of " + device : " of the host's memory")
              + ", but "
              + free.limit(),
          fits.apply(free.bytes() - program));
    }
  }
}
