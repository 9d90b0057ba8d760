package dev.duoka.planner.time;

import dev.duoka.hardware.Collective;
import dev.duoka.layout.Layout;
import dev.duoka.parallel.plan.BucketBlocks;
import dev.duoka.planner.figure.Figure;
import dev.duoka.planner.memory.StageParameters;
import dev.duoka.planner.shape.ModelShape;

/**
 * One exchange of every bucket of a rank, as the engine lays weights into buckets ({@link
 * BucketBlocks}): so many decoder layers in each, apart by what tensor and expert parallelism do
 * with them; each module for further tokens, the embedding, and the head with its norm in one of
 * their own. Each costs what one exchange of its bytes does, so fewer and larger ones cost less.
 *
 * @param layerWeights of the layers, as far as tensor parallelism cuts them or there is none
 * @param wholeWeights of the layers that every tensor rank holds, where there are several
 * @param expertWeights of routed experts
 * @param matrix weights of the embedding, and of the head
 * @param matrices how many of these two there are
 * @param lastNorm weights of the norm before the head; 0 on other stages
 */
record BucketExchanges(
    ModelShape shape,
    LinkRates links,
    Layout layout,
    Spans spans,
    double layerWeights,
    double wholeWeights,
    double expertWeights,
    double matrix,
    int matrices,
    double lastNorm) {
  /** Those of all weights that a rank holds. */
  static BucketExchanges ofHeld(
      ModelShape shape, LinkRates links, Layout layout, Spans spans, StageParameters held) {
    double matrix = shape.embeddingParameters() / layout.tensor();
    double beside = held.embedding() + held.lastNorm() + held.whole();
    return new BucketExchanges(
        shape,
        links,
        layout,
        spans,
        held.dense() - beside,
        held.whole(),
        held.expert(),
        matrix,
        (int) Math.round(held.embedding() / matrix),
        held.lastNorm());
  }

  /** Those of the weights that are trained. */
  static BucketExchanges ofTrained(
      ModelShape shape, LinkRates links, Layout layout, Spans spans, StageParameters held) {
    if (!layout.method().isAdapter()) {
      return ofHeld(shape, links, layout, spans, held);
    }
    double matrix = shape.embeddingParameters() / layout.tensor();
    return new BucketExchanges(
        shape,
        links,
        layout,
        spans,
        held.adapter() + held.layersWhole(),
        0,
        held.expertAdapter(),
        matrix,
        (int) Math.round(held.embeddingWhole() / matrix),
        0);
  }

  /** The same without experts. */
  BucketExchanges withoutExperts() {
    return new BucketExchanges(
        shape, links, layout, spans, layerWeights, wholeWeights, 0, matrix, matrices, lastNorm);
  }

  /**
   * Seconds of one exchange of every bucket, one after the other.
   *
   * @param bytes of a weight
   */
  Figure all(Collective collective, double bytes) {
    return ofLayers(collective, bytes)
        .plus(ofMatrix(collective, bytes).times(matrices))
        .plus(normIsAlone() ? each(collective, ofWhole(), lastNorm * bytes, 1) : Figure.ZERO);
  }

  /** Whether the last norm has a bucket of its own; with the head it adds nothing to speak of. */
  private boolean normIsAlone() {
    return lastNorm > 0 && (layout.tensor() > 1 || shape.tied());
  }

  /**
   * Seconds of summing this rank's shard of every bucket over the replicas.
   *
   * @param bytes of a weight
   */
  Figure betweenReplicas(double bytes) {
    boolean spread = layout.expert() > 1 && expertWeights > 0;
    int all = buckets(layers());
    int count =
        all
            + (wholeWeights > 0 ? all : 0)
            + (spread ? buckets(mixtures()) : 0)
            + matrices
            + (normIsAlone() ? 1 : 0);
    double shards =
        (layerWeights + matrices * matrix) / layout.replicas()
            + (wholeWeights + lastNorm) / ofWhole()
            + expertWeights / layout.expertReplicas();
    return links
        .seconds(
            Collective.ALL_REDUCE, layout.replicate(), spans.replicas(), shards * bytes / count)
        .times(count);
  }

  /**
   * Seconds of what is reduced, and needed, when nothing is left to hide it: of the first bucket of
   * layers and of the embedding.
   */
  double first(Collective collective, double bytes) {
    double share = Math.min(1, layout.blocksPerBucket() / layers());
    return share * ofLayers(collective, bytes).value() + ofMatrix(collective, bytes).value();
  }

  private Figure ofMatrix(Collective collective, double bytes) {
    return matrices == 0 ? Figure.ZERO : each(collective, layout.replicas(), matrix * bytes, 1);
  }

  private Figure ofLayers(Collective collective, double bytes) {
    boolean spread = layout.expert() > 1;
    boolean cut = layout.tensor() > 1;
    // Experts that are not spread lie with what every rank of their group holds.
    double withLayers = layerWeights + (spread || cut ? 0 : expertWeights);
    double whole = wholeWeights + (!spread && cut ? expertWeights : 0);
    double apart = spread ? expertWeights : 0;
    int all = buckets(layers());
    return each(collective, layout.replicas(), withLayers * bytes, all)
        .plus(each(collective, ofWhole(), whole * bytes, all))
        .plus(each(collective, layout.expertReplicas(), apart * bytes, buckets(mixtures())));
  }

  /** Ranks that hold what tensor parallelism does not cut. */
  private int ofWhole() {
    return layout.replicas() * layout.tensor();
  }

  private Figure each(Collective collective, int ranks, double bytes, int buckets) {
    int span = Math.max(spans.data(), spans.context());
    return links.seconds(collective, ranks, span, bytes / buckets).times(buckets);
  }

  /** Buckets of a rank that has so many decoder layers, in each of its stages as many. */
  private int buckets(double layers) {
    int stages = layout.order().stagesPerRank();
    int ofStage = (int) Math.ceil(layers / stages);
    int further = lastNorm > 0 ? shape.mtpModules() : 0;
    return stages * Math.max(1, BucketBlocks.count(ofStage, layout.blocksPerBucket())) + further;
  }

  private double layers() {
    return Math.max(1, (double) shape.layers() / layout.pipeline());
  }

  private double mixtures() {
    long all = shape.isMixture().subList(0, shape.layers()).stream().filter(it -> it).count();
    return (double) all / layout.pipeline();
  }
}
