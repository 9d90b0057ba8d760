package dev.duoka.ffi.torch;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;

/** A stretch of host memory: of a tensor, and valid as long as that lives, or of an array. */
public final class HostMemory {
  /** No byte at all. */
  public static final HostMemory NONE = new HostMemory(MemorySegment.NULL);

  private final MemorySegment segment;

  HostMemory(MemorySegment segment) {
    this.segment = segment;
  }

  /** The memory of an array. */
  public static HostMemory ofArray(byte[] array) {
    return new HostMemory(MemorySegment.ofArray(array));
  }

  /** The memory of an array. */
  public static HostMemory ofArray(long[] array) {
    return new HostMemory(MemorySegment.ofArray(array));
  }

  /** The memory of an array. */
  public static HostMemory ofArray(double[] array) {
    return new HostMemory(MemorySegment.ofArray(array));
  }

  /** A copy of its bytes. */
  public byte[] toBytes() {
    return segment.toArray(ValueLayout.JAVA_BYTE);
  }

  /** Its length in bytes. */
  public long byteSize() {
    return segment.byteSize();
  }

  /** A part of it; the bytes are the same. */
  public HostMemory asSlice(long offset, long length) {
    return new HostMemory(segment.asSlice(offset, length));
  }

  /** Overwrites it from the start with all bytes of another. */
  public void copyFrom(HostMemory other) {
    segment.copyFrom(other.segment);
  }

  /** The same bytes as a buffer, for channels. */
  public ByteBuffer asByteBuffer() {
    return segment.asByteBuffer();
  }
}
