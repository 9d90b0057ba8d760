package dev.duoka.ffi.torch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.link.NativeFunctions;
import java.lang.foreign.MemorySegment;

/** Turns LibTorch's return codes into exceptions. */
final class NativeFailure {
  private static final int LONGEST_MESSAGE = 4096;

  private NativeFailure() {}

  /** Throws unless {@code returnCode} is 0. */
  static void check(int returnCode, String function) {
    if (returnCode != 0) {
      throw of(returnCode, function);
    }
  }

  static DuokaException of(int returnCode, String function) {
    String message = message();
    return new DuokaException(
        ErrorCode.NATIVE_CALL,
        function
            + " failed in LibTorch (code "
            + returnCode
            + ")"
            + (message.isEmpty()
                ? "; " + LibTorch.LOG_LEVEL + "=ERROR prints LibTorch's reason"
                : ": " + message),
        "");
  }

  @SuppressWarnings("restricted") // bounded view of a C string
  private static String message() {
    if (TorchFunctions.EXCEPTION_MESSAGE.isEmpty()) {
      return "";
    }
    try {
      MemorySegment text = (MemorySegment) TorchFunctions.EXCEPTION_MESSAGE.get().invokeExact();
      return text.address() == 0 ? "" : text.reinterpret(LONGEST_MESSAGE).getString(0);
    } catch (IndexOutOfBoundsException e) {
      return "(a message of over " + LONGEST_MESSAGE + " bytes)";
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }
}
