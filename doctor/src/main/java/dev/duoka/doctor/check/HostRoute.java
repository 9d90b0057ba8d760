package dev.duoka.doctor.check;

import dev.duoka.ffi.cuda.CudaDevice;
import dev.duoka.ffi.cuda.CudaDriver;
import dev.duoka.ffi.cuda.DeviceBuffer;
import dev.duoka.ffi.cuda.HostMemory;
import org.jspecify.annotations.Nullable;

/** Host memory to a device and back. */
final class HostRoute implements CopyRoute {
  private static final long DEFAULT_STREAM = 0;

  private final CudaDriver driver;
  private final int bytes;
  private final DeviceBuffer buffer;
  private @Nullable HostMemory pattern;

  HostRoute(CudaDriver driver, CudaDevice device, int bytes) {
    this.driver = driver;
    this.bytes = bytes;
    this.buffer = new DeviceBuffer(device, bytes);
  }

  @Override
  public boolean direct() {
    return false;
  }

  @Override
  public long seed() {
    return 0x5eed_0001L + buffer.device().ordinal();
  }

  @Override
  public void clear(HostMemory zeros) {
    toDevice(zeros);
  }

  @Override
  public void send(HostMemory sent) {
    pattern = sent;
  }

  @Override
  public void copy() {
    if (pattern == null) {
      throw new IllegalStateException("nothing was sent");
    }
    toDevice(pattern);
  }

  @Override
  public void receive(HostMemory arrived) {
    driver.copyToHost(arrived.address(), buffer.address(), bytes, DEFAULT_STREAM);
    driver.synchronize(DEFAULT_STREAM);
  }

  @Override
  public void close() {
    buffer.close();
  }

  private void toDevice(HostMemory memory) {
    buffer.device().useOnThisThread();
    driver.copyToDevice(buffer.address(), memory.address(), bytes, DEFAULT_STREAM);
    driver.synchronize(DEFAULT_STREAM);
  }
}
