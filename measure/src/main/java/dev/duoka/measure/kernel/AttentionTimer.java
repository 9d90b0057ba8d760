package dev.duoka.measure.kernel;

import dev.duoka.engine.autograd.FunctionObserver;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.autograd.Work;
import dev.duoka.engine.function.Attention;
import dev.duoka.layout.Recompute;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.DeviceClock;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.List;

/**
 * Times attention alone by running the function itself: a gradient pass needs what its own forward
 * pass has saved.
 */
final class AttentionTimer implements FunctionObserver {
  private record Interval(int start, int end) {}

  private final DeviceClock clock;
  private final Phase counted;
  private final List<Interval> intervals = new ArrayList<>();
  private int begun;

  private AttentionTimer(DeviceClock clock, Phase counted) {
    this.clock = clock;
    this.counted = counted;
  }

  /**
   * The seconds that one part of attention needs on an otherwise idle device. Where queries meet a
   * multiple of their own keys, as on the ranks of a ring, they meet as many pairs each time: as
   * often as that of what queries and their own keys take.
   */
  static double seconds(Device device, ProductShape.Attention sizes, Phase phase) {
    long times = sizes.length() > 1 ? sizes.keys() / sizes.length() : 1;
    return times > 1 && sizes.keys() == times * sizes.length()
        ? times * once(device, sizes.withKeys(sizes.length()), phase)
        : once(device, sizes, phase);
  }

  private static double once(Device device, ProductShape.Attention sizes, Phase phase) {
    try (Scope _ = Scope.open();
        KernelTimer timer = new KernelTimer(device, sizes.dtype());
        DeviceClock clock = new DeviceClock(device)) {
      Tensor[] inputs = inputs(timer, sizes);
      Tensor query = inputs[0];
      Tensor key = inputs[1];
      Tensor value = inputs[2];
      Tensor gradient =
          timer.random(sizes.batch() * sizes.length(), sizes.heads() * sizes.valueWidth());
      AttentionTimer watch = new AttentionTimer(clock, phase);
      timer.milliseconds(() -> watch.run(query, key, value, gradient));
      return timer.one(watch.times()) * 1e-3;
    }
  }

  /** Where all widths are equal, parts of one projection, as the engine's kernels leave them. */
  private static Tensor[] inputs(KernelTimer timer, ProductShape.Attention sizes) {
    if (timer.device().isCuda()
        && sizes.length() == sizes.keys()
        && sizes.width() == sizes.valueWidth()) {
      long keys = sizes.keyHeads();
      Tensor joint =
          timer.random(sizes.batch(), sizes.length(), sizes.heads() + 2 * keys, sizes.width());
      return new Tensor[] {
        Views.transpose(Views.narrow(joint, 2, 0, sizes.heads()), 1, 2),
        Views.transpose(Views.narrow(joint, 2, sizes.heads(), keys), 1, 2),
        Views.transpose(Views.narrow(joint, 2, sizes.heads() + keys, keys), 1, 2)
      };
    }
    return new Tensor[] {
      heads(timer, sizes, sizes.heads(), sizes.length(), sizes.width()),
      heads(timer, sizes, sizes.keyHeads(), sizes.keys(), sizes.width()),
      heads(timer, sizes, sizes.keyHeads(), sizes.keys(), sizes.valueWidth())
    };
  }

  /** As the engine's kernels leave them: token by token on a GPU, head by head elsewhere. */
  private static Tensor heads(
      KernelTimer timer, ProductShape.Attention sizes, long heads, long length, long width) {
    return timer.device().isCuda()
        ? Views.transpose(timer.random(sizes.batch(), length, heads, width), 1, 2)
        : timer.random(sizes.batch(), heads, length, width);
  }

  private void run(Tensor query, Tensor key, Tensor value, Tensor gradient) {
    try (Tape tape = Tape.recording(Recompute.NONE)) {
      tape.observeWith(this);
      Variable output =
          tape.apply(
              new Attention(1 / Math.sqrt((double) query.size(3))),
              tape.leaf(query),
              tape.leaf(key),
              tape.leaf(value));
      if (counted != Phase.FORWARD) {
        tape.backward(output, gradient);
      }
    }
  }

  /** The first run compiles. */
  private List<Double> times() {
    return intervals.stream()
        .skip(1)
        .map(interval -> clock.milliseconds(interval.end()) - clock.milliseconds(interval.start()))
        .toList();
  }

  @Override
  public void begin(Phase phase, String name) {
    begun = clock.mark();
  }

  @Override
  public void end(Phase phase, String name, Work work) {
    int ended = clock.mark();
    if (phase == counted) {
      intervals.add(new Interval(begun, ended));
    }
  }
}
