package dev.duoka.ffi.nccl;

import java.util.Arrays;

/** The name of a communicator that is to be: one rank makes it, and all ranks must have it. */
public final class NcclId {
  /** Its length, {@code NCCL_UNIQUE_ID_BYTES}. */
  public static final int BYTES = 128;

  private final byte[] bytes;

  /** An id that another rank made. */
  public NcclId(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException("an id of " + bytes.length + " bytes");
    }
    this.bytes = bytes.clone();
  }

  /** The bytes to hand to the other ranks. */
  public byte[] bytes() {
    return bytes.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof NcclId id && Arrays.equals(bytes, id.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }
}
