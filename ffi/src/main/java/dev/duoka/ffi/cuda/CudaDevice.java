package dev.duoka.ffi.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.duoka.ffi.link.NativeFunctions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;

/**
 * One GPU as the CUDA driver shows it. Thread-safe.
 *
 * <p>The device's primary context, which LibTorch uses too, is created at the first call that needs
 * it (about 0.3 GiB of device memory) and kept until the process ends.
 */
public final class CudaDevice {
  private static final int LONGEST_NAME = 256;

  private final CudaFunctions functions;
  private final int ordinal;
  private final int handle;
  private long context;

  private CudaDevice(CudaFunctions functions, int ordinal, int handle) {
    this.functions = functions;
    this.ordinal = ordinal;
    this.handle = handle;
  }

  static CudaDevice of(CudaFunctions functions, int ordinal) {
    CallMemory memory = CallMemory.ofThread();
    try {
      CudaErrors.check(
          functions,
          (int) functions.device.invokeExact(memory.out, ordinal),
          "cuDeviceGet(" + ordinal + ")");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return new CudaDevice(functions, ordinal, memory.outInt());
  }

  /** The number of the device in this process, which is also LibTorch's. */
  public int ordinal() {
    return ordinal;
  }

  /** For example {@code NVIDIA H100 80GB HBM3}. */
  public String name() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocate(LONGEST_NAME);
      check((int) functions.deviceName.invokeExact(text, LONGEST_NAME, handle), "cuDeviceGetName");
      return text.getString(0);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /** The compute capability, for example 9.0. */
  public ComputeCapability computeCapability() {
    return new ComputeCapability(
        attribute(DeviceAttribute.COMPUTE_CAPABILITY_MAJOR),
        attribute(DeviceAttribute.COMPUTE_CAPABILITY_MINOR));
  }

  /** The device's memory in bytes. */
  public long totalMemory() {
    CallMemory memory = CallMemory.ofThread();
    try {
      check((int) functions.deviceTotalMemory.invokeExact(memory.out, handle), "cuDeviceTotalMem");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return memory.outLong();
  }

  /** The device's identity, for example {@code GPU-5f1c…}, as NVML and nvidia-smi print it. */
  public String uuid() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(16);
      check((int) functions.deviceUuid.invokeExact(bytes, handle), "cuDeviceGetUuid");
      String hex = HexFormat.of().formatHex(bytes.toArray(JAVA_BYTE));
      return "GPU-"
          + String.join(
              "-",
              hex.substring(0, 8),
              hex.substring(8, 12),
              hex.substring(12, 16),
              hex.substring(16, 20),
              hex.substring(20));
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /** The device's place on the PCI bus, for example {@code 0000:1B:00.0}. */
  public String pciBusId() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocate(LONGEST_NAME);
      check(
          (int) functions.devicePciBusId.invokeExact(text, LONGEST_NAME, handle),
          "cuDeviceGetPCIBusId");
      return text.getString(0);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /** One number of the device's description. */
  public int attribute(DeviceAttribute attribute) {
    CallMemory memory = CallMemory.ofThread();
    try {
      check(
          (int) functions.deviceAttribute.invokeExact(memory.out, attribute.code(), handle),
          "cuDeviceGetAttribute(" + attribute + ")");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return memory.outInt();
  }

  /** Whether kernels on this device can read and write the memory of another. */
  public boolean canAccessPeer(CudaDevice other) {
    CallMemory memory = CallMemory.ofThread();
    try {
      check(
          (int) functions.deviceCanAccessPeer.invokeExact(memory.out, handle, other.handle),
          "cuDeviceCanAccessPeer(cuda:" + other.ordinal + ")");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return memory.outInt() != 0;
  }

  /** Makes this device the calling thread's for driver calls; does nothing when it is already. */
  public void useOnThisThread() {
    long wanted = context();
    if (currentContext() != wanted) {
      setCurrentContext(wanted);
    }
  }

  /** The device's free and total memory, all processes counted. */
  public DeviceMemory memory() {
    long before = currentContext();
    setCurrentContext(context());
    CallMemory memory = CallMemory.ofThread();
    try {
      check((int) functions.memoryInfo.invokeExact(memory.out, memory.second), "cuMemGetInfo");
      return new DeviceMemory(memory.outLong(), memory.second.get(JAVA_LONG, 0));
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    } finally {
      setCurrentContext(before);
    }
  }

  /** A new event; the caller closes it. */
  public CudaEvent newEvent() {
    useOnThisThread();
    return CudaEvent.create(functions, ordinal);
  }

  /** A new stream; the caller closes it. */
  public CudaStream newStream() {
    useOnThisThread();
    return CudaStream.create(functions, ordinal);
  }

  /**
   * A new stream of the greatest priority; the caller closes it. Where blocks of a kernel on
   * another stream end, blocks of its kernels begin before the rest of that kernel's: for small
   * kernels that others wait for. Blocks that run are not interrupted.
   */
  public CudaStream newUrgentStream() {
    useOnThisThread();
    return CudaStream.createUrgent(functions, ordinal);
  }

  /** Loads compiled kernels for the life of the process. */
  public CudaModule load(String name, byte[] cubin) {
    useOnThisThread();
    return CudaModule.load(functions, this, name, cubin);
  }

  @Override
  public String toString() {
    return "cuda:" + ordinal;
  }

  CudaFunctions functions() {
    return functions;
  }

  synchronized long context() {
    if (context == 0) {
      CallMemory memory = CallMemory.ofThread();
      try {
        check(
            (int) functions.retainPrimaryContext.invokeExact(memory.out, handle),
            "cuDevicePrimaryCtxRetain");
      } catch (Throwable t) {
        throw NativeFunctions.unexpected(t);
      }
      context = memory.outLong();
    }
    return context;
  }

  private long currentContext() {
    CallMemory memory = CallMemory.ofThread();
    try {
      check((int) functions.currentContext.invokeExact(memory.out), "cuCtxGetCurrent");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return memory.outLong();
  }

  private void setCurrentContext(long wanted) {
    try {
      check((int) functions.setCurrentContext.invokeExact(wanted), "cuCtxSetCurrent");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  private void check(int result, String function) {
    if (result != CudaErrors.SUCCESS) {
      throw CudaErrors.of(functions, result, function + " on " + this);
    }
  }
}
