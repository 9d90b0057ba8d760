package dev.duoka.ffi.cuda;

import dev.duoka.ffi.link.NativeFunctions;

/**
 * Keeps pages of host memory where they are, so that copies to and from any device run beside
 * everything else. Ends before the memory is freed. A copy must not leave the stretch that was
 * locked at once: the driver refuses it.
 */
public final class PageLock implements AutoCloseable {
  /** {@code CU_MEMHOSTREGISTER_PORTABLE}: for all devices, not the one alone that asks. */
  private static final int OF_ALL_DEVICES = 1;

  private final CudaDevice device;
  private final long address;

  /**
   * Locks the pages of some memory. Takes some 0.1 s for each GiB, more where nobody has touched it
   * yet.
   *
   * @param device that is asked; thread-safe, as all of the driver is
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
          (int) device.functions().lockHostPages.invokeExact(address, bytes, OF_ALL_DEVICES),
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
