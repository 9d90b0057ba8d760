package dev.duoka.planner.search;

import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.PipelineOrder;
import java.util.Comparator;

/**
 * A layout that fits, before it is worth a report.
 *
 * @param layout the layout
 * @param bytes of the busiest rank
 * @param hostBytes of all ranks together in host memory
 * @param seconds of a step
 */
record Candidate(Layout layout, double bytes, double hostBytes, double seconds) {
  /** What each complication must gain to be worth it. */
  private static final double WORTH = 0.004;

  /** Differences that no front shows. */
  private static final double SAME = 1.015;

  /** The best first; of equal ones always the same. */
  static final Comparator<Candidate> BEST_FIRST =
      Comparator.comparingDouble(Candidate::score)
          .thenComparing(candidate -> candidate.layout().toString());

  /**
   * Seconds, with a little added for each complication, so that near ties go to the simpler one.
   */
  double score() {
    int complications =
        layout.axes()
            + layout.zero()
            + layout.recompute().ordinal()
            + (layout.order().equals(PipelineOrder.DEFAULT) ? 0 : 1)
            + (layout.offload() == Offload.NONE ? 0 : 3)
            + (layout.updatesOnHost() ? 1 : 0)
            + (layout.blocksPerBucket() > 1 ? 1 : 0)
            + (layout.loss() == LossKind.CHUNKED ? 0 : 1);
    return seconds * (1 + WORTH * complications);
  }

  /** What is known of a plan. */
  static Candidate of(Plan plan) {
    return new Candidate(
        plan.layout(), plan.memory().total(), plan.memory().hostBytes(), plan.time().total());
  }

  /** The same, whose step takes so many seconds. */
  Candidate taking(double time) {
    return new Candidate(layout, bytes, hostBytes, time);
  }

  /** Cards times seconds: what a step costs, whatever the card's price. */
  double gpuSeconds() {
    return seconds * layout.gpus();
  }

  /** The kind of layout: the best of each is kept. */
  Object kind() {
    return new Kind(states(), layout.loss());
  }

  /** The axes and what is sharded or away: one of each is shown. */
  Object states() {
    return new States(mesh(), layout.zero(), layout.offload(), layout.offloadUpdate());
  }

  /** The axes alone. */
  Mesh mesh() {
    return Mesh.of(layout);
  }

  /**
   * Whether it is the same as another but for larger micro-batches, larger buckets, less recompute
   * or fewer states away, and so needs no less memory.
   */
  boolean keepsNoLessThan(Candidate other) {
    return states().equals(other.states())
        && layout.loss() == other.layout.loss()
        && layout.order().equals(other.layout.order())
        && layout.offloadFraction() <= other.layout.offloadFraction()
        && layout.blocksPerBucket() >= other.layout.blocksPerBucket()
        && layout.microBatch() >= other.layout.microBatch()
        && layout.recompute().compareTo(other.layout.recompute()) <= 0;
  }

  /** Whether closed forms are as far off for it as for another. */
  boolean isOfTheKindOf(Candidate other) {
    return layout.zero() == other.layout.zero()
        && layout.offload() == other.layout.offload()
        && layout.offloadUpdate() == other.layout.offloadUpdate()
        && layout.recompute() == other.layout.recompute()
        && layout.precision() == other.layout.precision()
        && layout.blocksPerBucket() == other.layout.blocksPerBucket()
        && layout.order().equals(other.layout.order())
        && (layout.pipeline() > 1) == (other.layout.pipeline() > 1)
        && (layout.tensor() > 1) == (other.layout.tensor() > 1);
  }

  private record States(Mesh mesh, int zero, Offload offload, OffloadUpdate update) {}

  private record Kind(Object states, LossKind loss) {}

  /** The axes of a layout. */
  record Mesh(int data, int tensor, int pipeline, int expert, int context, int replicate) {
    static Mesh of(Layout layout) {
      return new Mesh(
          layout.data(),
          layout.tensor(),
          layout.pipeline(),
          layout.expert(),
          layout.context(),
          layout.replicate());
    }
  }

  /**
   * Whether this one is as good in time, memory and cost, but for differences too small to show.
   */
  boolean dominates(Candidate other) {
    return seconds <= SAME * other.seconds
        && bytes <= SAME * other.bytes
        && gpuSeconds() <= SAME * other.gpuSeconds();
  }

  /** Whether it is better in all three, or in some and equal in the others. */
  boolean beats(Candidate other) {
    return seconds <= other.seconds && bytes <= other.bytes && gpuSeconds() <= other.gpuSeconds();
  }
}
