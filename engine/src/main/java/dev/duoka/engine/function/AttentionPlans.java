package dev.duoka.engine.function;

import dev.duoka.tensor.Determinism;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.OutOfMemoryException;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import java.util.LinkedHashMap;
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

  /** By forward pass, what comes back to it; empty where nothing does. */
  private final Map<AttentionCall, Optional<AttentionCall.Backward>> calls = new LinkedHashMap<>();

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
      plans.calls.putIfAbsent(AttentionCall.of(query, key, value, causal, scale), Optional.empty());
    }
  }

  static void backward(
      Tensor gradient,
      Tensor query,
      Tensor key,
      Tensor value,
      Tensor output,
      boolean causal,
      double scale) {
    AttentionPlans plans = RECORDING.get();
    if (plans != null) {
      plans.calls.merge(
          AttentionCall.of(query, key, value, causal, scale),
          Optional.of(AttentionCall.Backward.of(output, gradient)),
          (former, latter) -> former.isPresent() ? former : latter); // as a thread plans
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
      calls.forEach((call, backward) -> make(call, backward, device));
    } catch (OutOfMemoryException _) {
      return; // whether a step fits is not decided here
    }
  }

  private static void make(
      AttentionCall call, Optional<AttentionCall.Backward> backward, Device device) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor query = call.query().empty(device);
      Tensor key = call.key().empty(device);
      Tensor value = call.value().empty(device);
      Tensor[] results =
          AttentionKernel.CUDNN.forward(query, key, value, call.causal(), call.scale());
      backward.ifPresent(
          it -> {
            Tensor[] laidOut = results.clone();
            laidOut[0] = it.output().empty(device); // not as cuDNN gives it, in a ring
            Tensor gradient = it.gradient().empty(device);
            AttentionKernel.CUDNN.backward(
                gradient, query, key, value, laidOut, call.causal(), call.scale());
          });
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
