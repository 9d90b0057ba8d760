package dev.duoka.ffi.cuda;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.library.Presence;
import dev.duoka.ffi.link.NativeFunctions;
import dev.duoka.ffi.link.SharedLibrary;
import java.lang.foreign.SymbolLookup;
import java.util.ArrayList;
import java.util.List;

/**
 * The CUDA driver of this machine, {@code libcuda.so.1}. It is opened once and never closed.
 *
 * <p>Thread-safe. Work is issued on LibTorch's streams, see {@link
 * dev.duoka.ffi.torch.CudaStreams#current}.
 */
public final class CudaDriver {
  private static final String REMEDY =
      "Install NVIDIA's driver, or start the container with the GPUs (--gpus all); 'nvidia-smi'"
          + " must list them";

  /** {@code CU_STREAM_WAIT_VALUE_GEQ}. */
  private static final int AT_LEAST = 0;

  private static final class Found {
    static final Presence<CudaDriver> DRIVER = open(List.of("libcuda.so.1"));
  }

  private final CudaFunctions functions;
  private final CudaVersion version;
  private final List<CudaDevice> devices;

  private CudaDriver(CudaFunctions functions, CudaVersion version, List<CudaDevice> devices) {
    this.functions = functions;
    this.version = version;
    this.devices = List.copyOf(devices);
  }

  /**
   * The driver with at least one device, or why there is none: no library, {@code cuInit} failed,
   * no device visible. Asked once per process.
   */
  public static Presence<CudaDriver> find() {
    return Found.DRIVER;
  }

  /** The newest CUDA version that the driver supports. */
  public CudaVersion version() {
    return version;
  }

  /** The devices that this process may use, by ordinal. */
  public List<CudaDevice> devices() {
    return devices;
  }

  /**
   * The device of an ordinal, which is also LibTorch's index of it.
   *
   * @throws DuokaException of code {@code DEVICE} when there are fewer devices
   */
  public CudaDevice device(int ordinal) {
    if (ordinal < 0 || ordinal >= devices.size()) {
      throw new DuokaException(
          ErrorCode.DEVICE,
          "there is no device cuda:" + ordinal + ": this process sees " + devices.size(),
          "Use a smaller number, or check CUDA_VISIBLE_DEVICES");
    }
    return devices.get(ordinal);
  }

  /** Waits until everything issued to a stream so far is done. */
  public void synchronize(long stream) {
    try {
      CudaErrors.check(
          functions,
          (int) functions.synchronizeStream.invokeExact(stream),
          "cuStreamSynchronize, waiting for a stream,");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /**
   * Holds a stream back until a number in device memory is {@code value} or has passed it, counted
   * round: the difference is not negative as 32 bits. No host and no kernel waits, and whoever
   * writes the number releases the stream.
   *
   * @param address of 32 bits in memory of the stream's device
   */
  public void holdBackUntil(long stream, long address, int value) {
    try {
      CudaErrors.check(
          functions,
          (int) functions.waitForValue.invokeExact(stream, address, value, AT_LEAST),
          "cuStreamWaitValue32");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /**
   * Copies host memory to a device on a stream; asynchronous when the host memory is pinned, and
   * then the caller keeps it unchanged until the stream has passed the copy.
   */
  public void copyToDevice(long deviceAddress, long hostAddress, long bytes, long stream) {
    try {
      CudaErrors.check(
          functions,
          (int) functions.copyToDevice.invokeExact(deviceAddress, hostAddress, bytes, stream),
          "cuMemcpyHtoDAsync of " + bytes + " bytes");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /** Copies device memory to the host on a stream; asynchronous when the host memory is pinned. */
  public void copyToHost(long hostAddress, long deviceAddress, long bytes, long stream) {
    try {
      CudaErrors.check(
          functions,
          (int) functions.copyToHost.invokeExact(hostAddress, deviceAddress, bytes, stream),
          "cuMemcpyDtoHAsync of " + bytes + " bytes");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /**
   * Copies rows of device memory to rows of host memory on a stream; asynchronous when the host
   * memory is pinned.
   *
   * @param hostPitch from the start of one row to that of the next, in bytes
   * @param devicePitch likewise
   * @param rowBytes that are copied of each row
   */
  public void copyRowsToHost(
      long hostAddress,
      long hostPitch,
      long deviceAddress,
      long devicePitch,
      long rowBytes,
      long rows,
      long stream) {
    CopiedRows copy = CopiedRows.ofThread();
    copy.set(hostAddress, hostPitch, deviceAddress, devicePitch, rowBytes, rows);
    try {
      CudaErrors.check(
          functions,
          (int) functions.copyRows.invokeExact(copy.memory(), stream),
          "cuMemcpy2DAsync of " + rows + " rows of " + rowBytes + " bytes");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  CudaFunctions functions() {
    return functions;
  }

  static Presence<CudaDriver> open(List<String> candidates) {
    return SharedLibrary.open(
        candidates, REMEDY, library -> initialize(library.name(), library.symbols()));
  }

  private static Presence<CudaDriver> initialize(String name, SymbolLookup symbols) {
    CudaFunctions functions = new CudaFunctions(symbols);
    CallMemory memory = CallMemory.ofThread();
    try {
      int result = (int) functions.init.invokeExact(0);
      if (result == CudaErrors.SUCCESS) {
        result = (int) functions.deviceCount.invokeExact(memory.out);
      }
      int count = result == CudaErrors.SUCCESS ? memory.outInt() : 0;
      if (count == 0) {
        int reason = result == CudaErrors.SUCCESS ? CudaErrors.NO_DEVICE : result;
        String remedy = CudaErrors.remedy(reason);
        return Presence.absent(
            "the CUDA driver " + name + " says " + CudaErrors.describe(functions, reason),
            remedy.isEmpty() ? REMEDY : remedy);
      }
      CudaErrors.check(
          functions, (int) functions.driverVersion.invokeExact(memory.out), "cuDriverGetVersion");
      CudaVersion version = CudaVersion.of(memory.outInt());
      List<CudaDevice> devices = new ArrayList<>();
      for (int ordinal = 0; ordinal < count; ordinal++) {
        devices.add(CudaDevice.of(functions, ordinal));
      }
      return Presence.of(new CudaDriver(functions, version, devices));
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }
}
