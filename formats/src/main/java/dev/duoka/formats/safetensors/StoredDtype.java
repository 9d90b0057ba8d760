package dev.duoka.formats.safetensors;

import java.util.Arrays;
import java.util.Optional;

/** The element types of safetensors, named as in its headers. */
public enum StoredDtype {
  F64(8),
  F32(4),
  F16(2),
  BF16(2),
  I64(8),
  I32(4),
  I16(2),
  I8(1),
  U8(1),
  BOOL(1),
  F8_E4M3(1),
  F8_E5M2(1),
  U16(2),
  U32(4),
  U64(8);

  private final int byteSize;

  StoredDtype(int byteSize) {
    this.byteSize = byteSize;
  }

  /** Bytes of one element. */
  public int byteSize() {
    return byteSize;
  }

  /** The dtype with this name in a header. */
  public static Optional<StoredDtype> named(String name) {
    return Arrays.stream(values()).filter(dtype -> dtype.name().equals(name)).findFirst();
  }
}
