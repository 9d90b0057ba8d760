package dev.duoka.engine.function;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What attention is asked for, by shapes and layouts: by this LibTorch keeps what cuDNN has planned
 * for a thread, of a backward pass too (its {@code native/cudnn/MHA.cpp}, {@code MHAParams}).
 */
record AttentionCall(Strided query, Strided key, Strided value, boolean causal, double scale) {
  private static final ThreadLocal<Map<AttentionCall, Backward>> PLANNED =
      ThreadLocal.withInitial(HashMap::new);

  static AttentionCall of(Tensor query, Tensor key, Tensor value, boolean causal, double scale) {
    return new AttentionCall(Strided.of(query), Strided.of(key), Strided.of(value), causal, scale);
  }

  /** How the output and its gradient lie that a backward pass is given. */
  record Backward(Strided output, Strided gradient) {
    static Backward of(Tensor output, Tensor gradient) {
      return new Backward(Strided.of(output), Strided.of(gradient));
    }
  }

  /**
   * The layouts that this thread's plan of the backward pass is for. A plan that is kept is found
   * by query, key and value alone, and reads any other output as if it lay like the first: so an
   * output or a gradient that lies otherwise has to be brought into these.
   */
  Backward planned(Tensor output, Tensor gradient) {
    AttentionCall kept = new AttentionCall(query, key, value, causal, 1); // for any scale
    return PLANNED.get().computeIfAbsent(kept, _ -> Backward.of(output, gradient));
  }

  /** A tensor's shape and how it lies in memory. */
  record Strided(Dtype dtype, List<Long> shape, List<Long> strides) {
    static Strided of(Tensor tensor) {
      return new Strided(tensor.dtype(), listOf(tensor.shape()), listOf(tensor.strides()));
    }

    private static List<Long> listOf(long... numbers) {
      return Arrays.stream(numbers).boxed().toList();
    }

    private static long[] array(List<Long> numbers) {
      return numbers.stream().mapToLong(Long::longValue).toArray();
    }

    /** Memory that holds anything. */
    Tensor empty(Device device) {
      long last = 0;
      for (int dim = 0; dim < shape.size(); dim++) {
        last += (shape.get(dim) - 1) * strides.get(dim);
      }
      return Views.strided(Tensors.empty(dtype, device, last + 1), array(shape), array(strides));
    }

    private boolean isLayoutOf(Tensor tensor) {
      Strided its = Strided.of(tensor);
      boolean same = its.dtype == dtype && its.shape.equals(shape);
      for (int dim = 0; same && dim < shape.size(); dim++) {
        // Over one element nobody steps.
        same = shape.get(dim) == 1 || its.strides.get(dim).equals(strides.get(dim));
      }
      return same;
    }

    /** The same numbers in this layout; the tensor itself where it has it. */
    Tensor laidOut(Tensor tensor) {
      if (isLayoutOf(tensor)) {
        return tensor;
      }
      Tensor copy = empty(tensor.device());
      Copies.into(copy, tensor);
      return copy;
    }
  }
}
