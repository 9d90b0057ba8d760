package dev.duoka.parallel.state;

import dev.duoka.base.Resources;
import dev.duoka.engine.optimizer.AdamW;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostTransfer;
import dev.duoka.tensor.op.Tensors;
import java.util.Objects;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The optimizer's states of a slice in host memory (Ren et al., "ZeRO-Offload", arXiv:2101.06840):
 * gradients come from the device while it computes, the host updates, and weights go back; what
 * uses them next waits for these alone. Owns everything but the device's weights.
 */
final class HostStates implements AutoCloseable {
  private final HostWorker worker;
  private final Tensor ofDevice;
  private final Tensor weights;
  private final Tensor gradients;
  private final AdamW states;
  private final Resources owned;
  private @Nullable Future<HostTransfer.Mark> returning;
  private @Nullable Supplier<double[]> squares;
  private @Nullable Future<double[]> squaring;

  /**
   * Allocates the states.
   *
   * @param ofDevice the weights in the compute dtype, {@code [n]}
   * @param gradientDtype of the gradients
   */
  HostStates(
      HostWorker worker,
      Tensor ofDevice,
      Dtype gradientDtype,
      AdamWSettings settings,
      AdamW.States of) {
    this.worker = worker;
    this.ofDevice = ofDevice;
    long length = ofDevice.size(0);
    try (Resources made = new Resources()) {
      weights = made.own(zeros(MemoryOwner.WEIGHTS, ofDevice.dtype(), length));
      gradients = made.own(zeros(MemoryOwner.GRADIENTS, gradientDtype, length));
      states = made.own(new AdamW(weights, gradients, settings, of));
      made.own(worker.transfer().lock(weights));
      made.own(worker.transfer().lock(gradients));
      owned = made.release();
    }
  }

  private Tensor zeros(MemoryOwner owner, Dtype dtype, long length) {
    try (Scope scope = Scope.open(owner)) {
      return scope.keep(Tensors.zeros(dtype, worker.host(), length));
    }
  }

  /** The summed gradients, {@code [n]}. */
  Tensor gradients() {
    return gradients;
  }

  /** Master weights and moments; waits for an update on its way. */
  AdamW states() {
    arrive();
    return states;
  }

  /** Says how the squares of the gradients are summed. */
  void squaresBy(Supplier<double[]> sum) {
    squares = sum;
  }

  /** The squares of the gradients, which {@link #collect} may have begun with; waits for them. */
  double[] squares() {
    Future<double[]> begun = squaring;
    squaring = null;
    return begun == null ? Objects.requireNonNull(squares).get() : HostWorker.await(begun);
  }

  /**
   * Launches the way of gradients to the host.
   *
   * @param part {@code [n]} on the device
   * @param fresh whether they are the first of a sum
   * @param last whether they complete it, so that the host may sum their squares
   * @return when {@code part} may be overwritten
   */
  HostTransfer.Mark collect(Tensor part, boolean fresh, boolean last) {
    HostTransfer.Mark copied = collect(part, fresh);
    Supplier<double[]> sum = squares;
    if (last && sum != null && !worker.host().isMeta()) {
      squaring =
          worker.submit(
              () -> {
                copied.await();
                return sum.get();
              });
    }
    return copied;
  }

  private HostTransfer.Mark collect(Tensor part, boolean fresh) {
    arrive(); // the update before reads the sum
    if (fresh) {
      HostTransfer.Mark copied = worker.transfer().toHost(gradients, part);
      worker.note(copied);
      return copied;
    }
    Tensor buffer = worker.buffer(part.dtype(), part.size(0));
    HostTransfer.Mark copied = worker.transfer().toHost(buffer, part);
    worker.note(copied);
    worker.lend(
        buffer,
        worker.submit(
            () -> {
              copied.await();
              Elementwise.addInPlace(gradients, buffer);
              return copied;
            }));
    return copied;
  }

  /**
   * Has the host update the states, and launch the way of the weights to the device.
   *
   * @param factor what the gradients are multiplied by
   * @param after what still uses the weights that are there
   */
  void update(AdamW.Update update, double factor, HostTransfer.Mark after) {
    returning =
        worker.submit(
            () -> {
              states.update(update, factor);
              return worker.transfer().toDevice(ofDevice, weights, after);
            });
  }

  /** Lets the calling thread's stream wait for the weights of the last update. */
  void arrive() {
    Future<HostTransfer.Mark> last = returning;
    if (last != null) {
      returning = null;
      HostTransfer.Mark arrived = HostWorker.await(last);
      arrived.holdBack();
      arrived.forget();
    }
  }

  /** Makes the device's weights what the masters are. */
  void publish() {
    arrive();
    states.publish();
    HostTransfer.Mark after = worker.transfer().now();
    HostTransfer.Mark arrived = worker.transfer().toDevice(ofDevice, weights, after);
    arrived.holdBack();
    arrived.await(); // the host's copy may change now
    arrived.forget();
    after.forget();
  }

  /** Takes over the device's weights; the opposite of {@link #publish}. */
  void adoptValues() {
    arrive();
    HostTransfer.Mark copied = worker.transfer().toHost(weights, ofDevice);
    copied.await();
    copied.forget();
    states.adoptValues();
  }

  @Override
  public void close() {
    try (owned) {
      worker.drain(); // nothing may be written into what is freed
    }
  }
}
