package dev.duoka.planner.layout;

import dev.duoka.parallel.plan.StagePlan;
import dev.duoka.planner.shape.ModelShape;
import java.util.ArrayList;
import java.util.List;

/**
 * What one pipeline stage holds.
 *
 * @param index from 0
 * @param dense layers with a dense MLP
 * @param mixture layers with experts
 * @param mtp MTP modules, each a layer with a projection and a pass through the head
 * @param mtpMixture whether the MTP modules' layers have experts
 * @param first whether it holds the embedding
 * @param last whether it holds the head
 */
public record Stage(
    int index, int dense, int mixture, int mtp, boolean mtpMixture, boolean first, boolean last) {

  /** Decoder layers without MTP modules. */
  public int layers() {
    return dense + mixture;
  }

  /** Whether the other holds the same, wherever it is. */
  public boolean isLike(Stage other) {
    return dense == other.dense
        && mixture == other.mixture
        && mtp == other.mtp
        && mtpMixture == other.mtpMixture
        && first == other.first
        && last == other.last;
  }

  /** Passes through the head. */
  public int heads() {
    return last ? 1 + mtp : 0;
  }

  /**
   * Cuts the layers into as equal numbers as possible; those left over go to the stages between the
   * first and the last, which have the embedding and the head.
   */
  public static List<Stage> split(ModelShape shape, int stages) {
    List<Integer> counts = new ArrayList<>();
    int base = shape.layers() / stages;
    int left = shape.layers() % stages;
    int firstWithMore = stages - left > 1 ? 1 : 0;
    for (int i = 0; i < stages; i++) {
      counts.add(base + (i >= firstWithMore && i < firstWithMore + left ? 1 : 0));
    }
    return of(shape, counts);
  }

  /** Cuts the layers as the engine does: the dearest stage is as cheap as can be. */
  public static List<Stage> balanced(ModelShape shape, int stages, int length) {
    return of(
        shape,
        StagePlan.balanced(shape.config(), stages, length, shape.mtpModules())
            .layers(shape.config()));
  }

  /** What each rank of a pipeline holds: one stage, or every so manieth of several a rank. */
  public static List<Stage> ofRanks(List<Stage> stages, int ranks) {
    if (stages.size() == ranks) {
      return stages;
    }
    List<Stage> held = new ArrayList<>();
    for (int rank = 0; rank < ranks; rank++) {
      Stage all = new Stage(rank, 0, 0, 0, false, false, false);
      for (int at = rank; at < stages.size(); at += ranks) {
        Stage one = stages.get(at);
        all =
            new Stage(
                rank,
                all.dense + one.dense,
                all.mixture + one.mixture,
                all.mtp + one.mtp,
                all.mtpMixture || one.mtpMixture,
                all.first || one.first,
                all.last || one.last);
      }
      held.add(all);
    }
    return List.copyOf(held);
  }

  /** Stages with these numbers of layers. */
  private static List<Stage> of(ModelShape shape, List<Integer> counts) {
    List<Stage> list = new ArrayList<>();
    int next = 0;
    for (int i = 0; i < counts.size(); i++) {
      int count = counts.get(i);
      int mixture = 0;
      for (int layer = next; layer < next + count; layer++) {
        mixture += shape.isMixture().get(layer) ? 1 : 0;
      }
      boolean last = i == counts.size() - 1;
      int mtp = last ? shape.mtpModules() : 0;
      list.add(
          new Stage(
              i,
              count - mixture,
              mixture,
              mtp,
              mtp > 0 && shape.isMixture().getLast(),
              i == 0,
              last));
      next += count;
    }
    return list;
  }
}
