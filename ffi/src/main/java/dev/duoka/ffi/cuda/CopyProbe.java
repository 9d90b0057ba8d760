package dev.duoka.ffi.cuda;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.duoka.base.DuokaException;
import dev.duoka.ffi.link.NativeFunctions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Copies a pattern and compares what arrives, byte by byte: links that lose or invent bytes exist,
 * and no status register tells. Needs the given bytes twice on the devices and twice on the host.
 */
public final class CopyProbe {
  /** {@code CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED}. */
  private static final int ALREADY_ENABLED = 704;

  private static final int TIMED_COPIES = 4;
  private static final long DEFAULT_STREAM = 0;

  private final CudaDriver driver;
  private final long bytes;

  /**
   * What came of a copy.
   *
   * @param bytes how many were copied
   * @param firstWrong the offset of the first byte that differs; −1 when none does
   * @param peerAccess whether the devices reach each other directly; without, the driver copies by
   *     way of the host
   * @param seconds the time of one copy, the fastest of a few
   */
  public record Outcome(long bytes, long firstWrong, boolean peerAccess, double seconds) {
    /** Whether every byte arrived. */
    public boolean intact() {
      return firstWrong < 0;
    }

    /** Gigabytes (10⁹ bytes) per second. */
    public double gigabytesPerSecond() {
      return bytes / seconds / 1e9;
    }
  }

  /**
   * @param bytes how much to copy, a multiple of 8
   */
  public CopyProbe(CudaDriver driver, long bytes) {
    if (bytes <= 0 || bytes % Long.BYTES != 0) {
      throw new IllegalArgumentException(bytes + " is not a positive multiple of 8");
    }
    this.driver = driver;
    this.bytes = bytes;
  }

  /** Host memory to a device and back. */
  public Outcome throughHost(CudaDevice device) {
    try (Arena arena = Arena.ofConfined();
        Buffer buffer = new Buffer(device)) {
      MemorySegment sent = pattern(arena, 0x5eed_0001L + device.ordinal());
      MemorySegment arrived = arena.allocate(bytes, Long.BYTES);
      device.useOnThisThread();
      driver.copyToDevice(buffer.address, sent.address(), bytes, DEFAULT_STREAM);
      driver.copyToHost(arrived.address(), buffer.address, bytes, DEFAULT_STREAM);
      driver.synchronize(DEFAULT_STREAM);
      double seconds =
          fastest(
              device,
              () -> driver.copyToDevice(buffer.address, sent.address(), bytes, DEFAULT_STREAM));
      return new Outcome(bytes, sent.mismatch(arrived), false, seconds);
    }
  }

  /** From one place of a device's memory to another. */
  public Outcome onDevice(CudaDevice device) {
    try (Arena arena = Arena.ofConfined();
        Buffer source = new Buffer(device);
        Buffer target = new Buffer(device)) {
      return copy(
          arena,
          source,
          target,
          false,
          () ->
              check(
                  device,
                  (int)
                      device
                          .functions()
                          .copyOnDevice
                          .invokeExact(target.address, source.address, bytes, DEFAULT_STREAM),
                  "cuMemcpyDtoDAsync"));
    }
  }

  /** From one device to another, directly where the devices can. */
  public Outcome between(CudaDevice from, CudaDevice to) {
    boolean direct = from.canAccessPeer(to) && to.canAccessPeer(from);
    try (Arena arena = Arena.ofConfined();
        Buffer source = new Buffer(from);
        Buffer target = new Buffer(to);
        Access there = new Access(from, to, direct);
        Access back = new Access(to, from, direct)) {
      return copy(
          arena,
          source,
          target,
          there.enabled && back.enabled,
          () ->
              check(
                  from,
                  (int)
                      from.functions()
                          .copyToPeer
                          .invokeExact(
                              target.address,
                              to.context(),
                              source.address,
                              from.context(),
                              bytes,
                              DEFAULT_STREAM),
                  "cuMemcpyPeerAsync"));
    }
  }

  private interface Work {
    void run() throws Throwable;
  }

  /** The target is filled with other bytes first, so that a copy that does nothing shows. */
  private Outcome copy(Arena arena, Buffer source, Buffer target, boolean direct, Work copyOnce) {
    MemorySegment sent =
        pattern(arena, 0x5eed_1000L + 64L * source.device.ordinal() + target.device.ordinal());
    MemorySegment arrived = arena.allocate(bytes, Long.BYTES);
    target.device.useOnThisThread();
    driver.copyToDevice(target.address, arrived.address(), bytes, DEFAULT_STREAM);
    driver.synchronize(DEFAULT_STREAM);
    source.device.useOnThisThread();
    driver.copyToDevice(source.address, sent.address(), bytes, DEFAULT_STREAM);
    driver.synchronize(DEFAULT_STREAM);
    double seconds = fastest(source.device, copyOnce);
    target.device.useOnThisThread();
    driver.copyToHost(arrived.address(), target.address, bytes, DEFAULT_STREAM);
    driver.synchronize(DEFAULT_STREAM);
    return new Outcome(bytes, sent.mismatch(arrived), direct, seconds);
  }

  private double fastest(CudaDevice device, Work work) {
    double best = Double.MAX_VALUE;
    try {
      for (int i = 0; i < TIMED_COPIES; i++) {
        device.useOnThisThread();
        long start = System.nanoTime();
        work.run();
        driver.synchronize(DEFAULT_STREAM);
        best = Math.min(best, (System.nanoTime() - start) / 1e9);
      }
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return Math.max(best, 1e-9);
  }

  /** Numbers without a period that a shifted or repeated block could hide in. */
  private MemorySegment pattern(Arena arena, long seed) {
    MemorySegment pattern = arena.allocate(bytes, Long.BYTES);
    long state = seed * 0x9e3779b97f4a7c15L | 1;
    for (long at = 0; at < bytes; at += Long.BYTES) {
      state ^= state << 13;
      state ^= state >>> 7;
      state ^= state << 17;
      pattern.set(JAVA_LONG, at, state);
    }
    return pattern;
  }

  private static void check(CudaDevice device, int result, String function) {
    CudaErrors.check(device.functions(), result, function + " on " + device);
  }

  /** Device memory, freed at the end. */
  private final class Buffer implements AutoCloseable {
    private final CudaDevice device;
    private final long address;

    Buffer(CudaDevice device) {
      this.device = device;
      device.useOnThisThread();
      CallMemory memory = CallMemory.ofThread();
      try {
        check(
            device,
            (int) device.functions().allocate.invokeExact(memory.out, bytes),
            "cuMemAlloc of " + bytes + " bytes");
      } catch (Throwable t) {
        throw NativeFunctions.unexpected(t);
      }
      address = memory.outLong();
    }

    @Override
    public void close() {
      device.useOnThisThread();
      try {
        check(device, (int) device.functions().free.invokeExact(address), "cuMemFree");
      } catch (Throwable t) {
        throw NativeFunctions.unexpected(t);
      }
    }
  }

  /** Access of one device to another's memory, taken back at the end if it was not there before. */
  private static final class Access implements AutoCloseable {
    private final CudaDevice from;
    private final CudaDevice to;
    private final boolean enabled;
    private final boolean ours;

    Access(CudaDevice from, CudaDevice to, boolean wanted) {
      this.from = from;
      this.to = to;
      int result = wanted ? enable(from, to) : 1;
      ours = result == CudaErrors.SUCCESS;
      enabled = ours || result == ALREADY_ENABLED;
      if (wanted && !enabled) {
        throw CudaErrors.of(
            from.functions(), result, "cuCtxEnablePeerAccess from " + from + " to " + to);
      }
    }

    private static int enable(CudaDevice from, CudaDevice to) {
      long peer = to.context();
      from.useOnThisThread();
      try {
        return (int) from.functions().enablePeerAccess.invokeExact(peer, 0);
      } catch (Throwable t) {
        throw NativeFunctions.unexpected(t);
      }
    }

    @Override
    public void close() {
      if (ours) {
        from.useOnThisThread();
        try {
          check(
              from,
              (int) from.functions().disablePeerAccess.invokeExact(to.context()),
              "cuCtxDisablePeerAccess");
        } catch (DuokaException e) {
          throw e;
        } catch (Throwable t) {
          throw NativeFunctions.unexpected(t);
        }
      }
    }
  }
}
