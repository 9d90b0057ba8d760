package dev.duoka.engine.function;

import dev.duoka.tensor.Determinism;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.OutOfMemoryException;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which attention a thread is going to ask cuDNN for. cuDNN plans for each shape and layout, which
 * takes up to a second each way, and LibTorch keeps the plans by thread (its {@code
 * native/cudnn/MHA.cpp}); a dry run tells which ones a step needs, so that they can be made while
 * the thread would wait for something else.
 *
 * <p>Plans are made for the layouts that are recorded. What is asked for with another one is
 * planned when it comes, as it would be without this class.
 */
public final class AttentionPlans {
  private static final ThreadLocal<@Nullable AttentionPlans> RECORDING = new ThreadLocal<>();

  private record Strided(Dtype dtype, List<Long> shape, List<Long> strides) {
    static Strided of(Tensor tensor) {
      return new Strided(tensor.dtype(), listOf(tensor.shape()), listOf(tensor.strides()));
    }

    private static List<Long> listOf(long... numbers) {
      return Arrays.stream(numbers).boxed().toList();
    }

    private static long[] array(List<Long> numbers) {
      return numbers.stream().mapToLong(Long::longValue).toArray();
    }

    Tensor empty(Device device) {
      long last = 0;
      for (int dim = 0; dim < shape.size(); dim++) {
        last += (shape.get(dim) - 1) * strides.get(dim);
      }
      return Views.strided(Tensors.empty(dtype, device, last + 1), array(shape), array(strides));
    }
  }

  private record Call(Strided query, Strided key, Strided value, boolean causal, double scale) {
    static Call of(Tensor query, Tensor key, Tensor value, boolean causal, double scale) {
      return new Call(Strided.of(query), Strided.of(key), Strided.of(value), causal, scale);
    }
  }

  /** By forward pass, the gradient that comes back to it; empty where none does. */
  private final Map<Call, Optional<Strided>> calls = new LinkedHashMap<>();

  private AttentionPlans() {}

  /** Those of what {@code step} asks for, on the calling thread; of a dry run or of a real step. */
  public static AttentionPlans of(Runnable step) {
    AttentionPlans plans = new AttentionPlans();
    AttentionPlans outer = RECORDING.get();
    RECORDING.set(plans);
    try {
      step.run();
    } finally {
      RECORDING.set(outer);
    }
    return plans;
  }

  static void forward(Tensor query, Tensor key, Tensor value, boolean causal, double scale) {
    AttentionPlans plans = RECORDING.get();
    if (plans != null) {
      plans.calls.putIfAbsent(Call.of(query, key, value, causal, scale), Optional.empty());
    }
  }

  static void backward(
      Tensor gradient, Tensor query, Tensor key, Tensor value, boolean causal, double scale) {
    AttentionPlans plans = RECORDING.get();
    if (plans != null) {
      plans.calls.put(Call.of(query, key, value, causal, scale), Optional.of(Strided.of(gradient)));
    }
  }

  /**
   * Has cuDNN make the plans for the calling thread, by computing with memory that holds anything;
   * what it takes is freed again. Does nothing where cuDNN is not asked, and makes no more plans
   * where the device has no memory left for them. Synchronises not, but takes the host as long as
   * cuDNN plans.
   *
   * @param device that the calling thread is bound to
   */
  public void make(Device device) {
    if (!device.isCuda() || Determinism.isRequired()) {
      return;
    }
    try {
      calls.forEach((call, gradient) -> make(call, gradient, device));
    } catch (OutOfMemoryException _) {
      return; // whether a step fits is not decided here
    }
  }

  private static void make(Call call, Optional<Strided> gradient, Device device) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor query = call.query.empty(device);
      Tensor key = call.key.empty(device);
      Tensor value = call.value.empty(device);
      Tensor[] results = AttentionKernel.CUDNN.forward(query, key, value, call.causal, call.scale);
      gradient.ifPresent(
          it ->
              AttentionKernel.CUDNN.backward(
                  it.empty(device), query, key, value, results, call.causal, call.scale));
    }
  }

  /** Whether both ask cuDNN for the same. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof AttentionPlans plans && calls.equals(plans.calls);
  }

  @Override
  public int hashCode() {
    return calls.hashCode();
  }

  @Override
  public String toString() {
    return calls.toString();
  }
}
