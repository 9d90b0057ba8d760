package dev.duoka.ffi.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.duoka.ffi.link.NativeFunctions;
import java.lang.foreign.Arena;

/** Kernels loaded on one device, for the life of the process. Thread-safe. */
public final class CudaModule {
  private final CudaFunctions functions;
  private final CudaDevice device;
  private final String name;
  private final long handle;

  private CudaModule(CudaFunctions functions, CudaDevice device, String name, long handle) {
    this.functions = functions;
    this.device = device;
    this.name = name;
    this.handle = handle;
  }

  static CudaModule load(CudaFunctions functions, CudaDevice device, String name, byte[] cubin) {
    CallMemory memory = CallMemory.ofThread();
    try (Arena arena = Arena.ofConfined()) {
      CudaErrors.check(
          functions,
          (int) functions.loadModule.invokeExact(memory.out, arena.allocateFrom(JAVA_BYTE, cubin)),
          "cuModuleLoadData of " + name + " (" + cubin.length + " bytes) on " + device);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return new CudaModule(functions, device, name, memory.outLong());
  }

  /**
   * A kernel by its name in the object code: declare it {@code extern "C"} to know that name.
   *
   * @throws dev.duoka.base.DuokaException when there is none of that name
   */
  public CudaFunction function(String entry) {
    CallMemory memory = CallMemory.ofThread();
    try (Arena arena = Arena.ofConfined()) {
      CudaErrors.check(
          functions,
          (int) functions.moduleFunction.invokeExact(memory.out, handle, arena.allocateFrom(entry)),
          "cuModuleGetFunction(" + entry + ") of " + name + " on " + device);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return new CudaFunction(functions, device, entry, memory.outLong());
  }
}
