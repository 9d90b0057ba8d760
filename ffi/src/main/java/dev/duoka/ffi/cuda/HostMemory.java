package dev.duoka.ffi.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/** Host memory that copies to and from a device use; zero at first, freed at the end. */
public final class HostMemory implements AutoCloseable {
  private final Arena arena = Arena.ofConfined();
  private final MemorySegment segment;

  /**
   * @param bytes how many, at most 2³¹ − 1
   */
  public HostMemory(int bytes) {
    segment = arena.allocate(bytes, Long.BYTES);
  }

  /** Where it lies, for the driver. */
  public long address() {
    return segment.address();
  }

  /** Its bytes, in the order of this machine; not to be used after {@link #close}. */
  public ByteBuffer bytes() {
    return segment.asByteBuffer().order(java.nio.ByteOrder.nativeOrder());
  }

  @Override
  public void close() {
    arena.close();
  }
}
