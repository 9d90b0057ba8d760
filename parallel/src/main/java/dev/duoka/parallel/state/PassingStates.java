package dev.duoka.parallel.state;

import dev.duoka.base.Resources;
import dev.duoka.engine.optimizer.AdamW;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostTransfer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The optimizer's states of a slice that live in page-locked host memory and pass through the
 * device ({@link StatePassage}), whose kernel updates them as if they were there. Weights and
 * gradients stay on the device. An update is launched when the passage gets to it, at the latest
 * when something is asked for that it changes or reads. Owns the states.
 */
final class PassingStates implements AutoCloseable {
  private final StatePassage passage;
  private final AdamW states;
  private final Resources owned;
  private StatePassage.Ends last = StatePassage.Ends.NONE;
  private boolean arrived = true;
  private @Nullable Runnable linedUp;

  /**
   * Allocates the states; {@link #adoptValues} fills masters that are copies.
   *
   * @param values the weights in the compute dtype, {@code [n]}
   * @param gradients the main gradients, {@code [n]}
   */
  PassingStates(
      StatePassage passage,
      Tensor values,
      Tensor gradients,
      AdamWSettings settings,
      AdamW.States of) {
    this.passage = passage;
    try (Resources made = new Resources()) {
      states = made.own(new AdamW(values, gradients, settings, of, values.device().host()));
      Tensor masters = states.master().beside();
      if (masters != null) {
        lock(made, masters);
      }
      lock(made, states.firstMoment().values());
      lock(made, states.secondMoment().values());
      Tensor firstScales = states.firstMoment().scales();
      Tensor secondScales = states.secondMoment().scales();
      if (firstScales != null && secondScales != null) {
        lock(made, firstScales);
        lock(made, secondScales);
      }
      owned = made.release();
    }
  }

  private void lock(Resources made, Tensor host) {
    made.own(passage.transfer().lock(host));
  }

  /** Master weights and moments, in host memory; waits until they are there. */
  AdamW states() {
    arrive();
    last.ended().await();
    return states;
  }

  /** The same for what does not read them. */
  AdamW onTheirWay() {
    return states;
  }

  /** How many weights they are of. */
  long length() {
    return states.length();
  }

  /** Lets the calling thread's stream wait for the weights of the last update. */
  void arrive() {
    if (!arrived) {
      passage.askFor(this);
      arrived = true;
      last.worked().holdBack();
    }
  }

  /**
   * Lines up an update beside the calling thread's stream, behind what is there, as {@link
   * AdamW#launch}.
   */
  void launch(AdamW.Update update, Tensor squaredNorm) {
    HostTransfer.Mark after = passage.transfer().now();
    lineUp(after, (part, start, lane) -> states.launch(update, squaredNorm, part, start, lane));
  }

  /** Lines up an update without our kernels, as {@link AdamW#update}. */
  void update(AdamW.Update update, double factor) {
    lineUp(null, (part, start, _) -> states.update(update, factor, part, start));
  }

  private void lineUp(HostTransfer.@Nullable Mark after, StatePassage.Work work) {
    arrive();
    arrived = false;
    linedUp = () -> last = passage.pass(states, StatePassage.Way.ROUND, last, after, work);
    passage.lineUp(this);
  }

  /** Launches what was lined up; for the passage. */
  void launchLinedUp() {
    Runnable update = Objects.requireNonNull(linedUp);
    linedUp = null;
    update.run();
  }

  /** Makes the compute weights what their masters are. */
  void publish() {
    if (states.master().isCopy()) {
      pass(StatePassage.Way.MASTERS_COME, (part, _, _) -> AdamW.publish(part));
    }
  }

  /** Takes over the compute weights; the opposite of {@link #publish}. */
  void adoptValues() {
    if (states.master().isCopy()) {
      pass(StatePassage.Way.MASTERS_LEAVE, (part, _, _) -> AdamW.adoptValues(part));
    } else {
      states().adoptValues(); // which touches no weight
    }
  }

  private void pass(StatePassage.Way way, StatePassage.Work work) {
    arrive();
    last = passage.pass(states, way, last, null, work);
  }

  @Override
  public void close() {
    try (owned) {
      passage.drain(); // nothing may be written into what is freed
    }
  }
}
