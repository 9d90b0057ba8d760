package dev.duoka.ffi.cuda;

import dev.duoka.ffi.link.NativeFunctions;

/** One kernel on one device. Thread-safe. */
public final class CudaFunction {
  private final CudaFunctions functions;
  private final CudaDevice device;
  private final String name;
  private final long handle;

  CudaFunction(CudaFunctions functions, CudaDevice device, String name, long handle) {
    this.functions = functions;
    this.device = device;
    this.name = name;
    this.handle = handle;
  }

  /** The kernel's name in the object code. */
  public String name() {
    return name;
  }

  /** The device that the kernel is loaded on. */
  public CudaDevice device() {
    return device;
  }

  /** One number of the kernel's description. */
  public int attribute(FunctionAttribute attribute) {
    CallMemory memory = CallMemory.ofThread();
    try {
      CudaErrors.check(
          functions,
          (int) functions.functionAttribute.invokeExact(memory.out, attribute.code(), handle),
          "cuFuncGetAttribute(" + attribute + ") of " + name + " on " + device);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return memory.outInt();
  }

  /**
   * Lets launches ask for more dynamic shared memory than the 48 KiB that every kernel may use.
   *
   * @param bytes at most {@link DeviceAttribute#MAX_SHARED_MEMORY_PER_BLOCK_OPT_IN} less the
   *     kernel's static shared memory
   */
  public void allowDynamicSharedMemory(int bytes) {
    try {
      CudaErrors.check(
          functions,
          (int)
              functions.setFunctionAttribute.invokeExact(
                  handle, FunctionAttribute.MAX_DYNAMIC_SHARED_MEMORY.code(), bytes),
          "cuFuncSetAttribute("
              + bytes
              + " bytes of dynamic shared memory) of "
              + name
              + " on "
              + device);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  CudaFunctions functions() {
    return functions;
  }

  long handle() {
    return handle;
  }
}
