package dev.duoka.ffi.torch;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.duoka.ffi.link.NativeFunctions;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * One call of an ATen operator through the dispatcher: push the arguments in the schema's order,
 * {@link #invoke}, then take the results.
 *
 * <pre>{@code
 * long product = OperatorCall.of(MM).tensor(a).tensor(b).invoke().result(0);
 * }</pre>
 *
 * <p>All arguments of the schema must be pushed, defaults included. The object belongs to the
 * thread and is reused by its next call, so take the results at once. Tensor arguments are
 * borrowed: the call makes and consumes handles of its own. On CUDA the call launches
 * asynchronously unless the operator itself reads a result back.
 *
 * <p>Arguments of schema type {@code Scalar} cannot be passed (LibTorch's shim refuses them up to
 * at least 2.11).
 */
public final class OperatorCall {
  /** The C ABI that the calls are written against: 2.10. */
  private static final long ABI_VERSION = 2L << 56 | 10L << 48;

  private static final ThreadLocal<OperatorCall> OF_THREAD =
      ThreadLocal.withInitial(OperatorCall::new);

  private final Scratch scratch = Scratch.ofThread();
  private Operator operator = Operator.of("none", "");
  private int arguments;

  private OperatorCall() {}

  /** Starts a call on this thread. */
  public static OperatorCall of(Operator operator) {
    OperatorCall call = OF_THREAD.get();
    call.operator = operator;
    call.arguments = 0;
    return call;
  }

  /** Pushes a {@code Tensor}. */
  public OperatorCall tensor(long handle) {
    return push(TensorHandle.share(handle));
  }

  /** Pushes a {@code Tensor?}; a handle of 0 is none. */
  public OperatorCall optionalTensor(long handle) {
    return handle == 0 ? none() : push(optional(TensorHandle.share(handle)));
  }

  /** Pushes a {@code Tensor[]}. */
  public OperatorCall tensors(long... handles) {
    long list = newList(handles.length);
    for (long handle : handles) {
      pushBack(list, TensorHandle.share(handle));
    }
    return push(list);
  }

  /** Pushes an {@code int} or {@code SymInt}. */
  public OperatorCall integer(long value) {
    return push(value);
  }

  /** Pushes a present {@code int?}. */
  public OperatorCall optionalInteger(long value) {
    return push(optional(value));
  }

  /** Pushes an {@code int[]} or {@code SymInt[]}. */
  public OperatorCall integers(long... values) {
    return push(list(values));
  }

  /** Pushes a present {@code int[]?}. */
  public OperatorCall optionalIntegers(long... values) {
    return push(optional(list(values)));
  }

  /** Pushes a {@code float}. */
  public OperatorCall floating(double value) {
    return push(Double.doubleToRawLongBits(value));
  }

  /** Pushes a present {@code float?}. */
  public OperatorCall optionalFloating(double value) {
    return push(optional(Double.doubleToRawLongBits(value)));
  }

  /** Pushes a {@code bool}. */
  public OperatorCall bool(boolean value) {
    return push(value ? 1 : 0);
  }

  /** Pushes a {@code bool[]}. */
  public OperatorCall bools(boolean... values) {
    long list = newList(values.length);
    for (boolean value : values) {
      pushBack(list, value ? 1 : 0);
    }
    return push(list);
  }

  /** Pushes a {@code ScalarType}. */
  public OperatorCall dtype(int code) {
    return push(code & 0xffffffffL);
  }

  /** Pushes a present {@code ScalarType?}. */
  public OperatorCall optionalDtype(int code) {
    return push(optional(code & 0xffffffffL));
  }

  /** Pushes a present {@code Device?}. */
  public OperatorCall optionalDevice(int type, int index) {
    return push(optional((long) type << 32 | (index & 0xffffffffL)));
  }

  /** Pushes an absent optional of any type. */
  public OperatorCall none() {
    return push(0);
  }

  /**
   * Runs the operator.
   *
   * @throws dev.duoka.base.DuokaException when LibTorch reports an error
   */
  public OperatorCall invoke() {
    int code;
    try {
      code =
          (int)
              TorchFunctions.CALL_DISPATCHER.invokeExact(
                  operator.nativeName(), operator.nativeOverload(), scratch.stack, ABI_VERSION);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    if (code != 0) {
      throw NativeFailure.of(code, operator.toString());
    }
    return this;
  }

  /** The tensor at {@code index} of the results; the caller owns it and must take every result. */
  public long result(int index) {
    return scratch.stack.getAtIndex(JAVA_LONG, index);
  }

  /** The results as a {@code Tensor[]}; the caller owns each. */
  public long[] resultList(int index) {
    long list = result(index);
    long[] handles = new long[Math.toIntExact(read(TorchFunctions.LIST_SIZE, list))];
    for (int i = 0; i < handles.length; i++) {
      try {
        NativeFailure.check(
            (int) TorchFunctions.LIST_GET.invokeExact(list, (long) i, scratch.out),
            "torch_list_get_item");
      } catch (Throwable t) {
        throw NativeFunctions.unexpected(t);
      }
      handles[i] = scratch.outLong();
    }
    try {
      NativeFailure.check((int) TorchFunctions.DELETE_LIST.invokeExact(list), "torch_delete_list");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return handles;
  }

  private OperatorCall push(long slot) {
    scratch.stack.setAtIndex(JAVA_LONG, arguments++, slot);
    return this;
  }

  private long list(long[] values) {
    long list = newList(values.length);
    for (long value : values) {
      pushBack(list, value);
    }
    return list;
  }

  private long newList(int size) {
    try {
      NativeFailure.check(
          (int) TorchFunctions.NEW_LIST.invokeExact((long) size, scratch.out),
          "torch_new_list_reserve_size");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return scratch.outLong();
  }

  private static void pushBack(long list, long value) {
    try {
      NativeFailure.check(
          (int) TorchFunctions.LIST_PUSH.invokeExact(list, value), "torch_list_push_back");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /** A heap slot that holds {@code value}; LibTorch frees it. */
  @SuppressWarnings("restricted") // the view of a slot of 8 bytes that was just allocated
  private long optional(long value) {
    long address;
    try {
      if (TorchFunctions.NEW_STABLE_IVALUE.isPresent()) {
        MethodHandle allocate = TorchFunctions.NEW_STABLE_IVALUE.get();
        NativeFailure.check((int) allocate.invokeExact(scratch.out), "torch_new_stable_ivalue");
        address = scratch.outLong();
      } else {
        address = (long) TorchFunctions.OPERATOR_NEW.invokeExact(8L);
      }
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    MemorySegment.ofAddress(address).reinterpret(8).set(JAVA_LONG, 0, value);
    return address;
  }

  private long read(MethodHandle getter, long handle) {
    try {
      NativeFailure.check((int) getter.invokeExact(handle, scratch.out), "a list's getter");
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    return scratch.outLong();
  }
}
