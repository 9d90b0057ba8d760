package dev.duoka.measure.step;

import dev.duoka.engine.autograd.FunctionObserver;
import dev.duoka.layout.Recompute;
import dev.duoka.measure.kernel.DeviceRates;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.parallel.dryrun.StepParts;
import java.util.List;

/**
 * The least work of a step, part by part. A dry run without recompute sees the parts, so that what
 * a step computes a second time to save memory is not in its floor.
 */
public final class StepFloor {
  private static final int AGAIN = 3;

  private final List<StepParts.Part> parts;

  private StepFloor(List<StepParts.Part> parts) {
    this.parts = parts;
  }

  /** Runs the step on {@code meta}, on the calling thread. */
  public static StepFloor of(StepJob job) {
    return of(new DryRunJob(job.settings(), 1, job.microBatch(), job.accumulation()));
  }

  /** As the other method, of one rank of a mesh: its own work, without any exchange. */
  public static StepFloor of(DryRunJob job) {
    return new StepFloor(
        StepParts.of(
            new DryRunJob(
                job.settings().with(Recompute.NONE),
                job.mesh(),
                job.rank(),
                job.microBatch(),
                job.accumulation())));
  }

  /** The least time that a device with these rates needs. */
  public double seconds(DeviceRates rates) {
    return parts.stream().mapToDouble(part -> rates.floor(part.work())).sum();
  }

  /**
   * As {@link #seconds}, of a step that was seen: where its floor is above the time that it took,
   * its products are measured again, a few times at most. What is still above it stays.
   *
   * @param seen seconds of the step
   */
  public double seconds(DeviceRates rates, double seen) {
    for (int i = 0; i < AGAIN && seconds(rates) > seen; i++) {
      parts.stream().map(StepParts.Part::work).distinct().forEach(rates::again);
    }
    return seconds(rates);
  }

  /**
   * As {@link #seconds}, with products of any shape at the rate of a large one, which is known at
   * once.
   */
  double secondsAtLargeRates(DeviceRates rates) {
    return parts.stream()
        .map(StepParts.Part::work)
        .mapToDouble(work -> Math.max(work.flops() / rates.flops(), work.bytes() / rates.bytes()))
        .sum();
  }

  /**
   * The least time for what lies inside of the model's blocks: in the forward pass, or of both
   * kinds of gradients.
   */
  public double blockSeconds(DeviceRates rates, boolean forward) {
    return parts.stream()
        .filter(StepParts.Part::inBlock)
        .filter(part -> forward == (part.phase() == FunctionObserver.Phase.FORWARD))
        .mapToDouble(part -> rates.floor(part.work()))
        .sum();
  }
}
