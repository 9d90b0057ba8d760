package dev.duoka.planner.memory;

import dev.duoka.formats.modelconfig.LayerShape;
import dev.duoka.layout.Layout;
import dev.duoka.parallel.plan.TrainedWeights;
import dev.duoka.parallel.plan.TrainedWeights.Kind;
import dev.duoka.planner.layout.Stage;
import dev.duoka.planner.shape.ModelShape;

/**
 * Parameters that one rank of a pipeline stage works with, before ZeRO.
 *
 * @param dense weights of all but routed experts, cut by tensor parallelism
 * @param expert weights of routed experts, spread by expert parallelism
 * @param embedding the part of {@code dense} that is embedding and head
 * @param lastNorm the part of {@code dense} that is the norm before the head
 * @param whole the part of {@code dense} that every tensor rank holds whole, where there are
 *     several
 * @param adapter weights of adapters beside all but routed experts; 0 where all weights are
 *     trained, as the next three
 * @param expertAdapter weights of adapters beside routed experts
 * @param layersWhole the part of {@code dense} in layers that is trained beside adapters
 * @param embeddingWhole the part of {@code embedding} that is
 * @param largestBucket weights of the largest bucket of layers, or of the embedding where that is
 *     larger
 */
public record StageParameters(
    double dense,
    double expert,
    double embedding,
    double lastNorm,
    double whole,
    double adapter,
    double expertAdapter,
    double layersWhole,
    double embeddingWhole,
    double largestBucket) {
  /** Weights that are trained, of all but routed experts. */
  public double trainedDense(Layout layout) {
    return layout.method().isAdapter() ? adapter + layersWhole + embeddingWhole : dense;
  }

  /** Weights that are trained, of routed experts or of their adapters. */
  public double trainedExpert(Layout layout) {
    return layout.method().isAdapter() ? expertAdapter : expert;
  }

  /** Bytes of the weights that a rank keeps, frozen ones included; ZeRO 3 shards them. */
  public double weightBytes(Layout layout, StateBytes state) {
    boolean shard = layout.zero() >= 3;
    double ofDense = shard ? layout.replicas() : 1;
    double ofExperts = shard ? layout.expertReplicas() : 1;
    if (!layout.method().isAdapter()) {
      return (dense / ofDense + expert / ofExperts) * state.weight();
    }
    // Embedding, head and what is trained stay in 16 bits where the rest is quantised.
    double plain = embedding + layersWhole;
    return ((adapter + plain) / ofDense + expertAdapter / ofExperts) * state.weight()
        + ((dense - plain) / ofDense + expert / ofExperts) * state.frozen();
  }

  /** Counts them. */
  public static StageParameters of(ModelShape shape, Stage stage, Layout layout) {
    int tensor = layout.tensor();
    int experts = Math.max(1, layout.expert());
    LayerShape extra = stage.mtpMixture() ? shape.mixture() : shape.dense();
    double mixtureExperts = (double) shape.mixture().expertParameters() / experts;
    double extraExperts = (double) extra.expertParameters() / experts;
    double dense =
        stage.dense() * shape.dense().denseParameters(tensor)
            + stage.mixture() * shape.mixture().denseParameters(tensor)
            + stage.mtp()
                * (extra.denseParameters(tensor)
                    + shape.mtpProjection().parameters(tensor)
                    + 3.0 * shape.hidden());
    double matrix = shape.embeddingParameters() / tensor;
    boolean ownHead = stage.last() && !(shape.tied() && stage.first());
    double embedding = (stage.first() ? matrix : 0) + (ownHead ? matrix : 0);
    // An MTP module shares the embedding, which a last stage that is not the first must then hold.
    embedding += stage.mtp() > 0 && !stage.first() ? matrix : 0;
    double lastNorm = stage.last() ? shape.hidden() : 0;
    dense += embedding + lastNorm;
    double expert = stage.mixture() * mixtureExperts + stage.mtp() * extraExperts;
    double largest = Math.max(embedding > 0 ? matrix : 0, 0);
    int most = layout.blocksPerBucket();
    if (stage.dense() > 0) {
      double layers = Math.min(most, stage.dense());
      largest = Math.max(largest, layers * shape.dense().denseParameters(tensor));
    }
    if (stage.mixture() > 0) {
      double layers = Math.min(most, stage.mixture());
      largest =
          Math.max(largest, layers * (shape.mixture().denseParameters(tensor) + mixtureExperts));
    }
    double whole =
        stage.dense() * whole(shape.dense(), tensor)
            + stage.mixture() * whole(shape.mixture(), tensor);
    TrainedWeights.Block layers = TrainedWeights.Block.NONE;
    TrainedWeights.Block edges = TrainedWeights.Block.NONE;
    if (layout.method().isAdapter()) {
      TrainedWeights trained = shape.adapted();
      layers =
          trained
              .of(Kind.DENSE)
              .times(stage.dense())
              .plus(trained.of(Kind.MIXTURE).times(stage.mixture()));
      edges =
          trained
              .of(Kind.EMBEDDING)
              .times(stage.first() || (stage.last() && shape.tied()) ? 1 : 0)
              .plus(trained.of(Kind.OUTPUT).times(stage.last() ? 1 : 0));
    }
    return new StageParameters(
        dense,
        expert,
        embedding,
        lastNorm,
        whole,
        layers.adapters(tensor) + edges.adapters(tensor),
        layers.expertAdapters() / experts,
        layers.ofBase(tensor),
        edges.ofBase(tensor),
        largest);
  }

  /** Of a layer's weights those that tensor parallelism does not cut. */
  private static double whole(LayerShape layer, int tensor) {
    return tensor == 1
        ? 0
        : (tensor * layer.denseParameters(tensor) - layer.denseParameters(1)) / (tensor - 1);
  }
}
