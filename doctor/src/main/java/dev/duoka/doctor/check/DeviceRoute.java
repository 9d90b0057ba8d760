package dev.duoka.doctor.check;

import dev.duoka.ffi.cuda.CudaDevice;
import dev.duoka.ffi.cuda.CudaDriver;
import dev.duoka.ffi.cuda.DeviceBuffer;
import dev.duoka.ffi.cuda.HostMemory;
import dev.duoka.ffi.cuda.PeerAccess;
import java.util.ArrayDeque;
import java.util.Deque;

/** From one place of a device's memory to another, or from one device to another. */
final class DeviceRoute implements CopyRoute {
  private static final long DEFAULT_STREAM = 0;

  private final CudaDriver driver;
  private final int bytes;
  private final boolean direct;
  private final Deque<Runnable> closings = new ArrayDeque<>();
  private final DeviceBuffer source;
  private final DeviceBuffer target;

  /** The way from a device to a device, directly where both can. */
  DeviceRoute(CudaDriver driver, CudaDevice from, CudaDevice to, int bytes) {
    this.driver = driver;
    this.bytes = bytes;
    direct = from != to && from.canAccessPeer(to) && to.canAccessPeer(from);
    try {
      source = new DeviceBuffer(from, bytes);
      closings.push(source::close);
      target = new DeviceBuffer(to, bytes);
      closings.push(target::close);
      if (direct) {
        closings.push(new PeerAccess(from, to)::close);
        closings.push(new PeerAccess(to, from)::close);
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  @Override
  public boolean direct() {
    return direct;
  }

  @Override
  public long seed() {
    return 0x5eed_1000L + 64L * source.device().ordinal() + target.device().ordinal();
  }

  @Override
  public void clear(HostMemory zeros) {
    toDevice(zeros, target);
  }

  @Override
  public void send(HostMemory pattern) {
    toDevice(pattern, source);
  }

  @Override
  public void copy() {
    source.device().useOnThisThread();
    source.copyTo(target, DEFAULT_STREAM);
    driver.synchronize(DEFAULT_STREAM);
  }

  @Override
  public void receive(HostMemory arrived) {
    target.device().useOnThisThread();
    driver.copyToHost(arrived.address(), target.address(), bytes, DEFAULT_STREAM);
    driver.synchronize(DEFAULT_STREAM);
  }

  @Override
  public void close() {
    while (!closings.isEmpty()) {
      closings.pop().run();
    }
  }

  private void toDevice(HostMemory memory, DeviceBuffer buffer) {
    buffer.device().useOnThisThread();
    driver.copyToDevice(buffer.address(), memory.address(), bytes, DEFAULT_STREAM);
    driver.synchronize(DEFAULT_STREAM);
  }
}
