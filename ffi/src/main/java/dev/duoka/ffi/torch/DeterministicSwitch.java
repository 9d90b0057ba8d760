package dev.duoka.ffi.torch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.concurrent.locks.ReentrantLock;

/**
 * LibTorch's switch for deterministic kernels, which is one for the whole process. It is on only
 * while an operator that looks at it is launched: elsewhere it would refuse operators that are
 * deterministic as they are used here, and fill every new tensor.
 */
final class DeterministicSwitch {
  private static final ReentrantLock LOCK = new ReentrantLock();

  /** A call that may throw anything, as those of method handles do. */
  @FunctionalInterface
  interface Launch {
    int run() throws Throwable;
  }

  private DeterministicSwitch() {}

  /** Runs {@code launch} with the switch on; one thread at a time. */
  static int during(Launch launch) throws Throwable {
    long context =
        (long) TorchFunctions.GLOBAL_CONTEXT.orElseThrow(DeterministicSwitch::none).invokeExact();
    LOCK.lock();
    try {
      TorchFunctions.SET_FILL_UNINITIALIZED
          .orElseThrow(DeterministicSwitch::none)
          .invokeExact(context, false);
      set(context, true);
      try {
        return launch.run();
      } finally {
        set(context, false);
      }
    } finally {
      LOCK.unlock();
    }
  }

  private static void set(long context, boolean on) throws Throwable {
    TorchFunctions.SET_DETERMINISTIC
        .orElseThrow(DeterministicSwitch::none)
        .invokeExact(context, on, false);
  }

  private static DuokaException none() {
    return new DuokaException(
        ErrorCode.NATIVE_LIBRARY,
        "the loaded LibTorch does not export its switch for deterministic kernels"
            + " (at::Context::setDeterministicAlgorithms)",
        "Leave training.deterministic out, or use a LibTorch that exports it: 2.10 and 2.11 do");
  }
}
