package dev.duoka.tensor;

/**
 * Whether the calling thread must get the same bits from the same step each time. All our kernels
 * do that anyway, as do LibTorch's products and sorts; cuDNN's attention does not, since its
 * backward pass adds in the order in which blocks happen to end: it then gives way to LibTorch's
 * flash attention. Products run by the library's own choice of algorithm rather than by the one
 * that was fastest when it was measured, which may be another one on the next machine.
 */
public final class Determinism {
  private static final ThreadLocal<Boolean> REQUIRED = ThreadLocal.withInitial(() -> false);

  private Determinism() {}

  /** Sets it for the calling thread, from its next forward pass on. */
  public static void require(boolean required) {
    if (required) {
      // While one rank has LibTorch's switch on, others may ask cuBLAS for products, which LibTorch
      // refuses then without a workspace of fixed size. It is as large as the one it takes anyway.
      LibraryEnvironment.set("CUBLAS_WORKSPACE_CONFIG", ":4096:8");
    }
    REQUIRED.set(required);
  }

  /** Whether it is set for the calling thread. */
  public static boolean isRequired() {
    return REQUIRED.get();
  }
}
