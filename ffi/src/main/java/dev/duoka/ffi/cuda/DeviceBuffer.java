package dev.duoka.ffi.cuda;

import dev.duoka.ffi.link.NativeFunctions;

/** Memory of a device outside LibTorch's allocator, freed at the end. */
public final class DeviceBuffer implements AutoCloseable {
  private final CudaDevice device;
  private final long bytes;
  private final long address;

  /** Allocates on a device, which becomes the calling thread's. */
  public DeviceBuffer(CudaDevice device, long bytes) {
    this.device = device;
    this.bytes = bytes;
    device.useOnThisThread();
    CallMemory memory = CallMemory.ofThread();
    try {
      check(
          (int) device.functions().allocate.invokeExact(memory.out, bytes),
          "cuMemAlloc of " + bytes + " bytes");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    address = memory.outLong();
  }

  /** The device. */
  public CudaDevice device() {
    return device;
  }

  /** Where it lies on the device. */
  public long address() {
    return address;
  }

  /** Copies all of it to a buffer of the same size, asynchronously on a stream of this device. */
  public void copyTo(DeviceBuffer target, long stream) {
    try {
      if (target.device == device) {
        check(
            (int)
                device.functions().copyOnDevice.invokeExact(target.address, address, bytes, stream),
            "cuMemcpyDtoDAsync");
      } else {
        check(
            (int)
                device
                    .functions()
                    .copyToPeer
                    .invokeExact(
                        target.address,
                        target.device.context(),
                        address,
                        device.context(),
                        bytes,
                        stream),
            "cuMemcpyPeerAsync");
      }
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  @Override
  public void close() {
    device.useOnThisThread();
    try {
      check((int) device.functions().free.invokeExact(address), "cuMemFree");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  private void check(int result, String function) {
    CudaErrors.check(device.functions(), result, function + " on " + device);
  }
}
