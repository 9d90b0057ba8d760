package dev.duoka.ffi.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;

/**
 * One way of cuBLASLt to compute a product: its {@code cublasLtMatmulAlgo_t}, which means the same
 * in every process with the same version of the library on the same kind of card.
 */
public final class ProductAlgorithm {
  /** The size of {@code cublasLtMatmulAlgo_t}. */
  public static final int BYTES = 64;

  final MemorySegment code;

  private ProductAlgorithm(byte[] code) {
    this.code = Arena.ofAuto().allocateFrom(JAVA_BYTE, code);
  }

  static ProductAlgorithm of(MemorySegment code) {
    return new ProductAlgorithm(code.asSlice(0, BYTES).toArray(JAVA_BYTE));
  }

  /** The opposite of {@link #text}. */
  public static ProductAlgorithm parse(String text) {
    byte[] code = HexFormat.of().parseHex(text);
    if (code.length != BYTES) {
      throw new IllegalArgumentException(code.length + " bytes instead of " + BYTES);
    }
    return new ProductAlgorithm(code);
  }

  /** The code in hexadecimal digits. */
  public String text() {
    return HexFormat.of().formatHex(code.toArray(JAVA_BYTE));
  }
}
