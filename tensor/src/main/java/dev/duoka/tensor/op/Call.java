package dev.duoka.tensor.op;

import dev.duoka.base.DuokaException;
import dev.duoka.ffi.torch.Operator;
import dev.duoka.ffi.torch.OperatorCall;
import dev.duoka.ffi.torch.TensorHandle;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * An operator call on tensors: adds to {@link OperatorCall} the ownership of results and errors
 * that name shapes, dtypes and devices. One per thread, reused.
 */
final class Call {
  private static final ThreadLocal<Call> OF_THREAD = ThreadLocal.withInitial(Call::new);

  private @Nullable Tensor[] tensors = new @Nullable Tensor[32];
  private OperatorCall call = OperatorCall.of(Operator.of("none", ""));
  private Operator operator = Operator.of("none", "");
  private int count;

  private Call() {}

  static Call of(Operator operator) {
    Call call = OF_THREAD.get();
    call.operator = operator;
    call.call = OperatorCall.of(operator);
    call.count = 0;
    return call;
  }

  Call tensor(Tensor tensor) {
    note(tensor);
    call.tensor(tensor.handle());
    return this;
  }

  Call optionalTensor(@Nullable Tensor tensor) {
    if (tensor == null) {
      call.none();
    } else {
      note(tensor);
      call.optionalTensor(tensor.handle());
    }
    return this;
  }

  Call tensors(Tensor... list) {
    long[] handles = new long[list.length];
    for (int i = 0; i < list.length; i++) {
      note(list[i]);
      handles[i] = list[i].handle();
    }
    call.tensors(handles);
    return this;
  }

  Call integer(long value) {
    call.integer(value);
    return this;
  }

  Call optionalInteger(long value) {
    call.optionalInteger(value);
    return this;
  }

  Call integers(long... values) {
    call.integers(values);
    return this;
  }

  Call optionalIntegers(long... values) {
    call.optionalIntegers(values);
    return this;
  }

  Call floating(double value) {
    call.floating(value);
    return this;
  }

  Call optionalFloating(double value) {
    call.optionalFloating(value);
    return this;
  }

  Call bool(boolean value) {
    call.bool(value);
    return this;
  }

  Call bools(boolean... values) {
    call.bools(values);
    return this;
  }

  Call dtype(Dtype dtype) {
    call.dtype(dtype.code());
    return this;
  }

  Call optionalDtype(Dtype dtype) {
    call.optionalDtype(dtype.code());
    return this;
  }

  Call none() {
    call.none();
    return this;
  }

  /** Runs the operator for its effect; its result is one of its arguments. */
  void inPlace() {
    invoke();
    // The result is a second handle of the argument: give it back without touching the ledger.
    TensorHandle.delete(call.result(0));
  }

  /** Runs the operator, which returns nothing. */
  void noResult() {
    invoke();
  }

  /** Runs the operator and adopts its one result. */
  Tensor result() {
    invoke();
    return Tensor.adopt(call.result(0), first().device());
  }

  /** Runs the operator, whose one result shares its first argument's memory. */
  Tensor view() {
    invoke();
    return first().adoptView(call.result(0));
  }

  /** Runs the operator and adopts its {@code n} results. */
  Tensor[] results(int n) {
    invoke();
    long[] handles = new long[n];
    for (int i = 0; i < n; i++) {
      handles[i] = call.result(i);
    }
    Tensor[] results = new Tensor[n];
    for (int i = 0; i < n; i++) {
      results[i] = Tensor.adopt(handles[i], first().device());
    }
    return results;
  }

  private void invoke() {
    try {
      call.invoke();
    } catch (DuokaException e) {
      throw failure(operator.toString(), e, tensors, count);
    }
  }

  private Tensor first() {
    Tensor first = tensors[0];
    if (first == null) {
      throw new IllegalStateException(operator + " was called without a tensor");
    }
    return first;
  }

  private void note(Tensor tensor) {
    if (count == tensors.length) { // a list may be of any length
      tensors = Arrays.copyOf(tensors, 2 * count);
    }
    tensors[count++] = tensor;
  }

  /** Adds to a native failure what it was called with, and what fills the device's memory. */
  static DuokaException failure(
      String operation, DuokaException cause, @Nullable Tensor[] arguments, int count) {
    StringBuilder text = new StringBuilder(operation).append('(');
    Device device = Device.CPU;
    for (int i = 0; i < count; i++) {
      text.append(i == 0 ? "" : ", ").append(arguments[i]);
      Tensor argument = arguments[i];
      if (argument != null && argument.device().isCuda()) {
        device = argument.device();
      }
    }
    text.append("): ").append(cause.getMessage());
    return OutOfMemory.recognise(device, text.toString(), cause);
  }

  static DuokaException failure(String operation, DuokaException cause, Tensor... arguments) {
    return failure(operation, cause, arguments, arguments.length);
  }
}
