package dev.duoka.ffi.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.cuda.MatrixProduct.Scaling;
import dev.duoka.ffi.link.NativeFunctions;
import dev.duoka.ffi.torch.CudaStreams;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * cuBLASLt's descriptors of one product. It counts columns first: what is row-major {@code [r, c]}
 * for us is its {@code [c, r]}, so it multiplies {@code b} by {@code a}. Belongs to one thread,
 * since the addresses of scales are written into the description; the descriptors live as long as
 * the process.
 */
public final class PreparedProduct {
  /** Codes of {@code cublasLt.h}. */
  private static final int DESCRIPTION_TRANSPOSE_A = 3;

  private static final int DESCRIPTION_TRANSPOSE_B = 4;
  private static final int DESCRIPTION_SCALE_A = 17;
  private static final int DESCRIPTION_SCALE_B = 18;
  private static final int DESCRIPTION_SCALE_MODE_A = 31;
  private static final int DESCRIPTION_SCALE_MODE_B = 32;
  private static final int PREFERENCE_WORKSPACE = 1;

  /** More than the library has ever returned for a product. */
  private static final int MOST_ALGORITHMS = 32;

  /** The size of {@code cublasLtMatmulHeuristicResult_t}, and where its status lies. */
  private static final long RESULT_BYTES = 96;

  private static final long RESULT_STATUS = 72;

  private final CublasLtFunctions functions;
  private final MatrixProduct product;
  private final MemorySegment place = Arena.ofAuto().allocate(JAVA_LONG);
  private final long description;
  private final long layoutA;
  private final long layoutB;
  private final long layoutTarget;

  PreparedProduct(CublasLtFunctions functions, MatrixProduct product) {
    this.functions = functions;
    this.product = product;
    description = description();
    layoutA = layout(product.transposeA(), product.rows(), product.inner(), product.factors());
    layoutB = layout(product.transposeB(), product.inner(), product.columns(), product.factors());
    layoutTarget = layout(false, product.rows(), product.columns(), product.result());
  }

  /** What can compute the product of these operands, the library's favourite first. */
  public List<ProductAlgorithm> algorithms(CublasLt.Operands operands) {
    try (Arena arena = Arena.ofConfined()) {
      pointToScales(operands); // the library refuses to look for algorithms without them
      check((int) functions.createPreference.invokeExact(place), "create a preference");
      long preference = place.get(JAVA_LONG, 0);
      place.set(JAVA_LONG, 0, operands.workspaceBytes());
      check(
          (int)
              functions.setPreference.invokeExact(
                  preference, PREFERENCE_WORKSPACE, place, JAVA_LONG.byteSize()),
          "limit the workspace");
      MemorySegment results = arena.allocate(RESULT_BYTES * MOST_ALGORITHMS, Long.BYTES);
      MemorySegment count = arena.allocate(JAVA_INT);
      int status =
          (int)
              functions.heuristics.invokeExact(
                  CudaStreams.blasHandle(),
                  description,
                  layoutB,
                  layoutA,
                  layoutTarget,
                  layoutTarget,
                  preference,
                  MOST_ALGORITHMS,
                  results,
                  count);
      check((int) functions.destroyPreference.invokeExact(preference), "free a preference");
      List<ProductAlgorithm> algorithms = new ArrayList<>();
      if (status != CublasCodes.NOT_SUPPORTED) {
        check(status, "choose an algorithm");
        for (int i = 0; i < count.get(JAVA_INT, 0); i++) {
          MemorySegment result = results.asSlice(i * RESULT_BYTES, RESULT_BYTES);
          if (result.get(JAVA_INT, RESULT_STATUS) == 0) {
            algorithms.add(ProductAlgorithm.of(result));
          }
        }
      }
      if (algorithms.isEmpty()) {
        throw new DuokaException(
            ErrorCode.NATIVE_CALL,
            "cuBLASLt has no way to compute " + product.key() + " on this card",
            "Its sizes or dtypes may be beyond the card: 8-bit factors need compute capability"
                + " 9.0");
      }
      return algorithms;
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /**
   * Launches the product.
   *
   * @throws dev.duoka.base.DuokaException when the library refuses it
   */
  public void run(ProductAlgorithm algorithm, CublasLt.Operands operands, long stream) {
    int status = launch(algorithm, operands, stream);
    if (status != 0) {
      throw CublasCodes.failure("cublasLtMatmul", product.key(), status);
    }
  }

  /** As {@link #run}; false when the library refuses it. */
  public boolean tryRun(ProductAlgorithm algorithm, CublasLt.Operands operands, long stream) {
    return launch(algorithm, operands, stream) == 0;
  }

  /** Launches; returns cuBLAS's status, 0 for success. */
  int launch(ProductAlgorithm algorithm, CublasLt.Operands operands, long stream) {
    try {
      pointToScales(operands);
      long addend = product.adds() ? operands.addend() : operands.target();
      MemorySegment beta =
          CublasCodes.beta(product.adds()); // inside the call it would be an Object
      return (int)
          functions.matmul.invokeExact(
              CudaStreams.blasHandle(),
              description,
              CublasCodes.ONE,
              operands.b(),
              layoutB,
              operands.a(),
              layoutA,
              beta,
              addend,
              layoutTarget,
              operands.target(),
              layoutTarget,
              algorithm.code,
              operands.workspace(),
              operands.workspaceBytes(),
              stream);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  private long description() {
    try {
      check(
          (int)
              functions.createDescription.invokeExact(
                  place, CublasCodes.COMPUTE_FLOAT32, MatrixDtype.FLOAT32.code),
          "describe a product");
      long created = place.get(JAVA_LONG, 0);
      setInt(created, DESCRIPTION_TRANSPOSE_A, CublasCodes.transposition(product.transposeB()));
      setInt(created, DESCRIPTION_TRANSPOSE_B, CublasCodes.transposition(product.transposeA()));
      if (product.scaling() != Scaling.NONE) {
        setInt(created, DESCRIPTION_SCALE_MODE_A, product.scaling().ofB);
        setInt(created, DESCRIPTION_SCALE_MODE_B, product.scaling().ofA);
      }
      return created;
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /** Of row-major {@code [rows, columns]}, or of its transpose. */
  private long layout(boolean transposed, long rows, long columns, MatrixDtype dtype) {
    long fast = transposed ? rows : columns;
    long slow = transposed ? columns : rows;
    try {
      check(
          (int) functions.createLayout.invokeExact(place, dtype.code, fast, slow, fast),
          "describe a matrix");
      return place.get(JAVA_LONG, 0);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  private void pointToScales(CublasLt.Operands operands) throws Throwable {
    if (product.scaling() != Scaling.NONE) {
      setLong(DESCRIPTION_SCALE_A, operands.scaleB());
      setLong(DESCRIPTION_SCALE_B, operands.scaleA());
    }
  }

  private void setInt(long target, int attribute, int value) throws Throwable {
    place.set(JAVA_INT, 0, value);
    check(
        (int) functions.setDescription.invokeExact(target, attribute, place, JAVA_INT.byteSize()),
        "set attribute " + attribute);
  }

  private void setLong(int attribute, long value) throws Throwable {
    place.set(JAVA_LONG, 0, value);
    check(
        (int)
            functions.setDescription.invokeExact(
                description, attribute, place, JAVA_LONG.byteSize()),
        "set attribute " + attribute);
  }

  private void check(int status, String attempt) {
    if (status != 0) {
      throw CublasCodes.failure("cuBLASLt, asked to " + attempt + ",", product.key(), status);
    }
  }
}
