package dev.duoka.ffi.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.link.NativeFunctions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Turns a {@code CUresult} into an exception that says what was called, what failed, and why. */
final class CudaErrors {
  static final int SUCCESS = 0;
  static final int OUT_OF_MEMORY = 2;
  static final int NO_DEVICE = 100;
  static final int NOT_READY = 600;

  private static final int LONGEST_MESSAGE = 4096;

  private CudaErrors() {}

  /**
   * Throws unless {@code result} is success.
   *
   * @param attempt what was attempted, beginning with the C function's name
   */
  static void check(CudaFunctions functions, int result, String attempt) {
    if (result != SUCCESS) {
      throw of(functions, result, attempt);
    }
  }

  static DuokaException of(CudaFunctions functions, int result, String attempt) {
    return new DuokaException(
        result == OUT_OF_MEMORY ? ErrorCode.OUT_OF_MEMORY : ErrorCode.NATIVE_CALL,
        attempt + " failed: " + describe(functions, result),
        remedy(result));
  }

  /** For example {@code CUDA_ERROR_NO_DEVICE (100): no CUDA-capable device is detected}. */
  static String describe(CudaFunctions functions, int result) {
    String name = text(functions.errorName, result);
    String meaning = text(functions.errorString, result);
    return (name.isEmpty() ? "CUresult" : name)
        + " ("
        + result
        + ")"
        + (meaning.isEmpty() ? "" : ": " + meaning);
  }

  static String remedy(int result) {
    return switch (result) {
      case OUT_OF_MEMORY ->
          "Use a smaller micro-batch or more recompute, or free the device:"
              + " nvidia-smi lists who holds memory";
      case NO_DEVICE ->
          "Check that nvidia-smi lists a GPU and that CUDA_VISIBLE_DEVICES does not hide it; a"
              + " container needs --gpus all";
      case 34 -> // CUDA_ERROR_STUB_LIBRARY
          "Take the CUDA toolkit's stubs folder out of LD_LIBRARY_PATH; it holds no real driver";
      case 46 -> // CUDA_ERROR_DEVICE_UNAVAILABLE
          "Another process holds the device in exclusive mode; nvidia-smi shows which one";
      case 200, 209, 218, 222 -> // invalid image, no binary, invalid or unsupported PTX
          "Delete the kernel cache and try again; if it fails again, the driver is older than the"
              + " NVRTC that compiled the kernel: update the driver";
      case 214, 220 -> // uncorrectable ECC or NVLink error
          "The hardware reported an error that it could not correct: restart from the last"
              + " checkpoint on another device and look at nvidia-smi -q and the kernel log";
      case 700, 702, 710, 714, 715, 716, 717, 718, 719 -> // the context is lost
          "A kernel failed, maybe one launched earlier, and the process cannot use the device any"
              + " more: restart it with CUDA_LAUNCH_BLOCKING=1 to find the kernel";
      case 701 -> // CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES
          "The block asks for more registers or shared memory than the device has";
      case 802 -> // CUDA_ERROR_SYSTEM_NOT_READY
          "On a machine with NVSwitch start the fabric manager:"
              + " systemctl start nvidia-fabricmanager";
      case 803, 804 -> // driver mismatch, compatibility mode not supported
          "The CUDA user library and the kernel driver do not fit each other: reboot after a driver"
              + " update, or take the CUDA compatibility libraries out of the library path";
      default -> "";
    };
  }

  @SuppressWarnings("restricted") // bounded view of a static C string
  private static String text(MethodHandle function, int result) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ADDRESS);
      int code = (int) function.invokeExact(result, out);
      MemorySegment text = out.get(ADDRESS, 0);
      return code != SUCCESS || text.address() == 0
          ? ""
          : text.reinterpret(LONGEST_MESSAGE).getString(0);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }
}
