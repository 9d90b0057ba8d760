package dev.duoka.parallel.plan;

import dev.duoka.engine.parameter.BucketKey;

/** Weights of one stage whose gradients are summed over the same ranks. */
public enum WeightGroup {
  /** All of them, where neither tensor nor expert parallelism tells them apart. */
  ALL(BucketKey.ONE_GROUP),
  /** Those that tensor parallelism cuts: summed over the data and context ranks. */
  CUT("cut by tensor"),
  /** Those that every tensor rank holds and applies to other tokens: also over the tensor ranks. */
  WHOLE("whole"),
  /** Routed experts that are spread over ranks: over those that hold the same ones. */
  EXPERTS("experts");

  private final String bucketGroup;

  WeightGroup(String bucketGroup) {
    this.bucketGroup = bucketGroup;
  }

  /** Its name in {@link BucketKey#group}. */
  public String bucketGroup() {
    return bucketGroup;
  }

  /** The group of a {@link BucketKey}. */
  public static WeightGroup of(String bucketGroup) {
    for (WeightGroup group : values()) {
      if (group.bucketGroup.equals(bucketGroup)) {
        return group;
      }
    }
    throw new IllegalArgumentException("no weights are grouped as '" + bucketGroup + "'");
  }
}
