package dev.duoka.ffi.torch;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.link.NativeFunctions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Operators that the dispatcher shim cannot call: those with {@code Scalar} arguments, and fused
 * attention. Tensor arguments are borrowed, results belong to the caller.
 */
public final class TypedFunctions {
  private TypedFunctions() {}

  /** {@code self − alpha · other}, on any device, as a new tensor. */
  public static long subtract(long self, long other, double alpha) {
    Scratch scratch = Scratch.ofThread();
    try {
      NativeFailure.check(
          (int) TorchFunctions.SUBTRACT.invokeExact(self, other, alpha, scratch.out),
          "aten::subtract.Tensor");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return scratch.outLong();
  }

  /** Sets every element to {@code value}. */
  public static void fill(long self, double value) {
    try {
      NativeFailure.check((int) TorchFunctions.FILL.invokeExact(self, value), "aten::fill_.Scalar");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /** {@code out = beta · self + alpha · a @ b}; {@code out} may be {@code self}. */
  public static void addmmOut(
      boolean cuda, long out, long self, long a, long b, double beta, double alpha) {
    MethodHandle function =
        cuda
            ? TorchFunctions.CUDA_ADDMM_OUT.orElseThrow(TypedFunctions::noCuda)
            : TorchFunctions.CPU_ADDMM_OUT;
    try {
      NativeFailure.check(
          (int) function.invokeExact(out, self, a, b, beta, alpha), "aten::addmm.out");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /**
   * Attention by cuDNN: {@code [batch, heads, sequence, width]}, bf16 or fp16, no dropout, no bias.
   *
   * @return the output, the log-sum-exp, and the two tensors of the random state
   */
  public static long[] cudnnAttention(
      long query, long key, long value, boolean causal, double scale) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment results = arena.allocate(JAVA_LONG, 9);
      MethodHandle function = TorchFunctions.CUDNN_ATTENTION.orElseThrow(TypedFunctions::noCuda);
      int code =
          (int)
              function.invokeExact(
                  query,
                  key,
                  value,
                  MemorySegment.NULL,
                  1,
                  0.0,
                  causal ? 1 : 0,
                  0,
                  arena.allocateFrom(JAVA_DOUBLE, scale),
                  results,
                  results.asSlice(8),
                  results.asSlice(16),
                  results.asSlice(24),
                  results.asSlice(32),
                  results.asSlice(40),
                  results.asSlice(48),
                  results.asSlice(56),
                  results.asSlice(64));
      NativeFailure.check(code, "aten::_scaled_dot_product_cudnn_attention");
      deleteAll(results, 2, 3, 8); // cumulative lengths and the debug mask
      return new long[] {
        results.getAtIndex(JAVA_LONG, 0),
        results.getAtIndex(JAVA_LONG, 1),
        results.getAtIndex(JAVA_LONG, 6),
        results.getAtIndex(JAVA_LONG, 7)
      };
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /**
   * The gradients of {@link #cudnnAttention}.
   *
   * @param forward what it returned
   * @return the gradients of query, key and value
   */
  public static long[] cudnnAttentionBackward(
      long gradOutput,
      long query,
      long key,
      long value,
      long[] forward,
      long queries,
      long keys,
      boolean causal,
      double scale) {
    long none = TensorHandle.undefined();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment results = arena.allocate(JAVA_LONG, 3);
      MethodHandle function =
          TorchFunctions.CUDNN_ATTENTION_BACKWARD.orElseThrow(TypedFunctions::noCuda);
      int code =
          (int)
              function.invokeExact(
                  gradOutput,
                  query,
                  key,
                  value,
                  forward[0],
                  forward[1],
                  forward[2],
                  forward[3],
                  none,
                  none,
                  none,
                  queries,
                  keys,
                  0.0,
                  causal ? 1 : 0,
                  arena.allocateFrom(JAVA_DOUBLE, scale),
                  results,
                  results.asSlice(8),
                  results.asSlice(16));
      NativeFailure.check(code, "aten::_scaled_dot_product_cudnn_attention_backward");
      return results.toArray(JAVA_LONG);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    } finally {
      TensorHandle.delete(none);
    }
  }

  /**
   * LibTorch's flash attention: as {@link #cudnnAttention}, but one width for all, at most 256.
   *
   * @return the output and the log-sum-exp
   */
  public static long[] flashAttention(
      long query, long key, long value, boolean causal, double scale) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment results = arena.allocate(JAVA_LONG, 9);
      MethodHandle function = TorchFunctions.FLASH_ATTENTION.orElseThrow(TypedFunctions::noCuda);
      int code =
          (int)
              function.invokeExact(
                  query,
                  key,
                  value,
                  0.0,
                  causal ? 1 : 0,
                  0,
                  arena.allocateFrom(JAVA_DOUBLE, scale),
                  results,
                  results.asSlice(8),
                  results.asSlice(16),
                  results.asSlice(24),
                  results.asSlice(32),
                  results.asSlice(40),
                  results.asSlice(48),
                  results.asSlice(56),
                  results.asSlice(64));
      NativeFailure.check(code, "aten::_scaled_dot_product_flash_attention");
      // Without dropout nobody reads the random state, whose dtype differs between versions.
      deleteAll(results, 2, 3, 6, 7, 8);
      return new long[] {results.getAtIndex(JAVA_LONG, 0), results.getAtIndex(JAVA_LONG, 1)};
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /**
   * The gradients of {@link #flashAttention}, summed in a fixed order: the same bits each time.
   *
   * @param forward what it returned
   * @return the gradients of query, key and value
   */
  public static long[] deterministicFlashAttentionBackward(
      long gradOutput,
      long query,
      long key,
      long value,
      long[] forward,
      long queries,
      long keys,
      boolean causal,
      double scale) {
    long none = TensorHandle.undefined();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment results = arena.allocate(JAVA_LONG, 3);
      MethodHandle function =
          TorchFunctions.FLASH_ATTENTION_BACKWARD.orElseThrow(TypedFunctions::noCuda);
      int code =
          DeterministicSwitch.during(
              () ->
                  (int)
                      function.invokeExact(
                          gradOutput,
                          query,
                          key,
                          value,
                          forward[0],
                          forward[1],
                          none,
                          none,
                          queries,
                          keys,
                          0.0,
                          causal ? 1 : 0,
                          none,
                          none,
                          arena.allocateFrom(JAVA_DOUBLE, scale),
                          results,
                          results.asSlice(8),
                          results.asSlice(16)));
      NativeFailure.check(code, "aten::_scaled_dot_product_flash_attention_backward");
      return results.toArray(JAVA_LONG);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    } finally {
      TensorHandle.delete(none);
    }
  }

  private static void deleteAll(MemorySegment results, int... unused) {
    for (int i : unused) {
      long handle = results.getAtIndex(JAVA_LONG, i);
      if (handle != 0) {
        TensorHandle.delete(handle);
      }
    }
  }

  private static DuokaException noCuda() {
    return new DuokaException(
        ErrorCode.NATIVE_LIBRARY,
        "a CUDA function was called, but the loaded LibTorch is a CPU build",
        "Install a CUDA build of PyTorch; './duoka env' shows which one was chosen");
  }
}
