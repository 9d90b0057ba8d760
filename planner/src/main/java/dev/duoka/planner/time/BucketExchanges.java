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
 * with them, and the embedding and the head in one of their own. Each costs what one exchange of
 * its bytes does, so fewer and larger ones cost less.
 *
 * @param layerWeights of the layers, as far as tensor parallelism cuts them or there is none
 * @param wholeWeights of the layers that every tensor rank holds, where there are several
 * @param expertWeights of routed experts
 * @param endWeights of the embedding, and of the head
 * @param ends how many of these two there are
 */
record BucketExchanges(
    ModelShape shape,
    LinkRates links,
    Layout layout,
    Spans spans,
    double layerWeights,
    double wholeWeights,
    double expertWeights,
    double endWeights,
    int ends) {
  /** Those of all weights that a rank holds. */
  static BucketExchanges ofHeld(
      ModelShape shape, LinkRates links, Layout layout, Spans spans, StageParameters parameters) {
    double matrix = shape.embeddingParameters() / layout.tensor();
    return new BucketExchanges(
        shape,
        links,
        layout,
        spans,
        parameters.dense() - parameters.embedding() - parameters.whole(),
        parameters.whole(),
        parameters.expert(),
        Math.min(matrix, parameters.embedding()),
        (int) Math.round(parameters.embedding() / matrix));
  }

  /** Those of the weights that are trained. */
  static BucketExchanges ofTrained(
      ModelShape shape, LinkRates links, Layout layout, Spans spans, StageParameters parameters) {
    return layout.method().isAdapter()
        ? new BucketExchanges(shape, links, layout, spans, parameters.adapter(), 0, 0, 0, 0)
        : ofHeld(shape, links, layout, spans, parameters);
  }

  /** The same without experts. */
  BucketExchanges withoutExperts() {
    return new BucketExchanges(
        shape, links, layout, spans, layerWeights, wholeWeights, 0, endWeights, ends);
  }

  /**
   * Seconds of one exchange of every bucket, one after the other.
   *
   * @param bytes of a weight
   */
  Figure all(Collective collective, double bytes) {
    return ofLayers(collective, bytes).plus(ofEnd(collective, bytes).times(ends));
  }

  /**
   * Seconds of that of the bucket that is reduced, and needed, when nothing is left to hide it,
   * with the embedding's: the first of the layers.
   */
  double first(Collective collective, double bytes) {
    double share = Math.min(1, layout.blocksPerBucket() / layers());
    return share * ofLayers(collective, bytes).value() + ofEnd(collective, bytes).value();
  }

  private Figure ofEnd(Collective collective, double bytes) {
    return ends == 0 ? Figure.ZERO : seconds(collective, layout.replicas(), endWeights * bytes);
  }

  private Figure ofLayers(Collective collective, double bytes) {
    boolean spread = layout.expert() > 1;
    boolean cut = layout.tensor() > 1;
    // Experts that are not spread lie with what every rank of their group holds.
    double withLayers = layerWeights + (spread || cut ? 0 : expertWeights);
    double whole = wholeWeights + (!spread && cut ? expertWeights : 0);
    return each(collective, layout.replicas(), withLayers * bytes, buckets(layers()))
        .plus(
            each(collective, layout.replicas() * layout.tensor(), whole * bytes, buckets(layers())))
        .plus(
            each(
                collective,
                layout.expertReplicas(),
                (spread ? expertWeights : 0) * bytes,
                buckets(mixtures())));
  }

  private Figure each(Collective collective, int ranks, double bytes, int buckets) {
    return seconds(collective, ranks, bytes / buckets).times(buckets);
  }

  private Figure seconds(Collective collective, int ranks, double bytes) {
    return links.seconds(collective, ranks, Math.max(spans.data(), spans.context()), bytes);
  }

  /** Buckets of a rank that has so many decoder layers, in each of its stages as many. */
  private int buckets(double layers) {
    int stages = layout.order().stagesPerRank();
    int ofStage = (int) Math.ceil(layers / stages);
    return stages * Math.max(1, BucketBlocks.count(ofStage, layout.blocksPerBucket()));
  }

  private double layers() {
    return Math.max(1, (double) shape.layers() / layout.pipeline());
  }

  private double mixtures() {
    return (double) shape.isMixture().subList(0, shape.layers()).stream().filter(it -> it).count()
        / layout.pipeline();
  }
}
