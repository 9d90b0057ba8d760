package dev.duoka.ffi.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.duoka.base.CacheFolder;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** What cuBLAS and cuBLASLt share: codes of {@code cublas_api.h}, factors, and their errors. */
final class CublasCodes {
  static final int NOT_TRANSPOSED = 0;
  static final int TRANSPOSED = 1;

  /** Sums in fp32. */
  static final int COMPUTE_FLOAT32 = 68;

  /** The status of a product that the card or the library lacks. */
  static final int NOT_SUPPORTED = 15;

  /** One and zero, where the libraries read the factors alpha and beta. */
  static final MemorySegment ONE = Arena.global().allocateFrom(JAVA_FLOAT, 1f);

  static final MemorySegment ZERO = Arena.global().allocateFrom(JAVA_FLOAT, 0f);

  private CublasCodes() {}

  /** The factor of what is in the target already. */
  static MemorySegment beta(boolean adds) {
    return adds ? ONE : ZERO;
  }

  /** {@code transposed} as the libraries have it. */
  static int transposition(boolean transposed) {
    return transposed ? TRANSPOSED : NOT_TRANSPOSED;
  }

  /** A status that is not 0. */
  static DuokaException failure(String call, String product, int status) {
    return new DuokaException(
        ErrorCode.NATIVE_CALL,
        call + " returned status " + status + " for " + product,
        "Status 13 means that an earlier kernel failed; 15, that the card lacks this product. After"
            + " a change of card or library, delete "
            + CacheFolder.of("products")
            + ", where measured algorithms are kept");
  }
}
