package dev.duoka.ffi.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.link.NativeFunctions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * How the copy engine of compute capability 9.0 and later finds a matrix: a {@code CUtensorMap},
 * which a kernel takes as a {@code __grid_constant__} parameter ({@link KernelCall#structure}).
 */
public final class TensorMap {
  private static final int BYTES = 128;
  private static final int ALIGNMENT = 64;

  /** Codes of {@code cuda.h}. */
  private static final int TYPE_FLOAT16 = 6;

  private static final int TYPE_BFLOAT16 = 9;
  private static final int NO_INTERLEAVE = 0;
  private static final int SWIZZLE_128_BYTES = 3;
  private static final int PROMOTE_TO_256_BYTES = 3;
  private static final int ZEROS_OUTSIDE = 0;

  final MemorySegment code;

  private TensorMap(MemorySegment code) {
    this.code = code;
  }

  /**
   * A dense row-major 16-bit matrix that is fetched in boxes whose rows are swizzled over 128
   * bytes; what a box has outside of the matrix is zero.
   *
   * @param address of the matrix, aligned to 16 bytes
   * @param columns a multiple of 8
   * @param boxColumns at most 64
   */
  public static TensorMap ofMatrix(
      long address, long rows, long columns, MatrixDtype dtype, int boxRows, int boxColumns) {
    CudaFunctions functions = CudaDriver.find().orElseThrow().functions();
    int elementBytes = Short.BYTES;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment code = Arena.ofAuto().allocate(BYTES, ALIGNMENT);
      int result =
          (int)
              functions
                  .encodeTensorMap
                  .orElseThrow(TensorMap::tooOld)
                  .invokeExact(
                      code,
                      dtype == MatrixDtype.BFLOAT16 ? TYPE_BFLOAT16 : TYPE_FLOAT16,
                      2,
                      address,
                      arena.allocateFrom(JAVA_LONG, columns, rows),
                      arena.allocateFrom(JAVA_LONG, columns * elementBytes),
                      arena.allocateFrom(JAVA_INT, boxColumns, boxRows),
                      arena.allocateFrom(JAVA_INT, 1, 1),
                      NO_INTERLEAVE,
                      SWIZZLE_128_BYTES,
                      PROMOTE_TO_256_BYTES,
                      ZEROS_OUTSIDE);
      CudaErrors.check(
          functions,
          result,
          result == CudaErrors.SUCCESS
              ? ""
              : "cuTensorMapEncodeTiled of a " + dtype + " matrix [" + rows + ", " + columns + "]");
      return new TensorMap(code);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  private static DuokaException tooOld() {
    return new DuokaException(
        ErrorCode.DEVICE,
        "the CUDA driver has no cuTensorMapEncodeTiled",
        "It comes with driver 525 and later: install a newer one");
  }
}
