package dev.duoka.train.config;

import dev.duoka.layout.GradientForm;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.Recompute;
import java.util.ArrayList;
import java.util.List;

/** How a run can take its steps in less memory, the cheapest way first; each takes less. */
public final class MemoryRemedies {
  /** The ZeRO stage that shares out all there is. */
  private static final int MOST_ZERO = 3;

  private MemoryRemedies() {}

  /**
   * All ways of a run. The micro-batch goes down by divisors, at least by half; when it can no
   * more, cheap functions are computed again, and then whole layers: all of that can be changed
   * between two steps. Then states are kept elsewhere, with a new start: where several ranks hold
   * the same they share them out by one ZeRO stage more after the other, which costs little more
   * than the exchange of gradients does; and the optimizer moves to the host: first its states, all
   * of which the device goes on to update, then gradients and the update, too.
   */
  public static List<MemoryRemedy> of(RunConfig config) {
    return of(config, MemoryRemedy.now(config));
  }

  /**
   * As {@link #of(RunConfig)}, of a run that has changed meanwhile.
   *
   * @param now how it takes its steps
   */
  public static List<MemoryRemedy> of(RunConfig config, MemoryRemedy now) {
    List<MemoryRemedy> ways = new ArrayList<>();
    MemoryRemedy way = splitting(config, now, ways);
    for (Recompute more : Recompute.values()) {
      if (more.compareTo(way.recompute()) > 0) {
        way = way.with(way.microBatch(), more);
        ways.add(way);
      }
    }
    moving(config, way, ways);
    return ways;
  }

  /** Those that take less where nothing is kept for a backward pass: without more recompute. */
  public static List<MemoryRemedy> ofPasses(RunConfig config, MemoryRemedy now) {
    List<MemoryRemedy> ways = new ArrayList<>();
    moving(config, splitting(config, now, ways), ways);
    return ways;
  }

  /** Those that take less where nothing is computed: states kept elsewhere. */
  public static List<MemoryRemedy> ofStates(RunConfig config, MemoryRemedy now) {
    List<MemoryRemedy> ways = new ArrayList<>();
    moving(config, now, ways);
    return ways;
  }

  /** Adds smaller micro-batches; the last way. */
  private static MemoryRemedy splitting(
      RunConfig config, MemoryRemedy now, List<MemoryRemedy> ways) {
    MemoryRemedy way = now;
    int unit = config.data().hasPairs() ? 2 : 1;
    // Gradients in bf16 are of one micro-batch alone, and a table of a pipeline is of one number of
    // them: none can be split.
    boolean splits =
        config.memory().gradients() != GradientForm.BF16
            && config.parallel().schedule().file().isEmpty();
    while (splits && way.microBatch() > unit) {
      way = way.with(smaller(way.microBatch(), unit), way.recompute());
      ways.add(way);
    }
    return way;
  }

  /** Adds states elsewhere. */
  private static void moving(RunConfig config, MemoryRemedy now, List<MemoryRemedy> ways) {
    MemoryRemedy way = now;
    for (int zero = way.zero() + 1; zero <= MOST_ZERO && sharers(config) > 1; zero++) {
      way = way.with(zero);
      ways.add(way);
    }
    // Beside an adapter there are hardly any states to move, and on a CPU nowhere to move them to.
    if (config.adapter().isEmpty() && config.device().kind() != DeviceChoice.Kind.CPU) {
      boolean offloads = way.offload() != Offload.NONE;
      for (OffloadUpdate update : OffloadUpdate.values()) {
        boolean more = update.compareTo(way.update()) > 0;
        if (!offloads || more || (update == way.update() && way.fraction() < 1)) {
          ways.add(way.with(Offload.OPTIMIZER, update));
        }
      }
    }
  }

  /** Ranks that hold the same weights, and can share out what belongs to them. */
  private static int sharers(RunConfig config) {
    ParallelSettings parallel = config.parallel();
    return parallel.data() * parallel.context() / parallel.replicate();
  }

  /**
   * The largest micro-batch of at most half as many sequences into which one can be split.
   *
   * @param unit sequences that stay together: 2 of a pair
   */
  private static int smaller(int microBatch, int unit) {
    for (int divisor = microBatch / 2; divisor > unit; divisor--) {
      if (microBatch % divisor == 0 && divisor % unit == 0) {
        return divisor;
      }
    }
    return unit;
  }
}
