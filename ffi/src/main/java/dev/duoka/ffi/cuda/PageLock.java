package dev.duoka.ffi.cuda;

import dev.duoka.ffi.link.NativeFunctions;

/**
 * Keeps pages of host memory where they are, so that copies to and from a device run beside
 * everything else. Ends before the memory is freed.
 */
public final class PageLock implements AutoCloseable {
  private final CudaDevice device;
  private final long address;

  /**
   * Locks the pages of some memory.
   *
   * @throws dev.duoka.base.DuokaException of code {@code DEVICE} where the system refuses: too much
   *     memory is locked already, say
   */
  public PageLock(CudaDevice device, long address, long bytes) {
    this.device = device;
    this.address = address;
    device.useOnThisThread();
    try {
      CudaErrors.check(
          device.functions(),
          (int) device.functions().lockHostPages.invokeExact(address, bytes, 0),
          "cuMemHostRegister, locking " + bytes + " bytes of host memory,");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  @Override
  public void close() {
    device.useOnThisThread();
    try {
      CudaErrors.check(
          device.functions(),
          (int) device.functions().unlockHostPages.invokeExact(address),
          "cuMemHostUnregister");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }
}
