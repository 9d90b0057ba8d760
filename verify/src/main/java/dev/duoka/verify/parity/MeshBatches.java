package dev.duoka.verify.parity;

import dev.duoka.data.batch.MicroBatch;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.train.config.FieldProblem;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.step.ParallelChecks;
import java.util.ArrayList;
import java.util.List;

/**
 * How the few sequences of a folder are dealt out to a mesh: each data-parallel rank has an equal
 * share, in one micro-batch; under a pipeline in micro-batches of one sequence, so that it is kept
 * busy.
 */
record MeshBatches(ParallelSettings parallel) {
  Mesh mesh() {
    return new Mesh(
        parallel.pipeline(),
        1,
        parallel.data(),
        parallel.context(),
        parallel.tensor(),
        parallel.expert());
  }

  /**
   * Refuses a mesh that a model or one of the batches does not admit.
   *
   * @throws dev.duoka.base.DuokaException with the nearest that they do
   */
  void require(ModelConfig model, List<TokenIds> batches) {
    for (TokenIds ids : batches) {
      FieldProblem.throwIfAny("this mesh", problems(model, ids));
    }
  }

  private List<FieldProblem> problems(ModelConfig model, TokenIds ids) {
    int data = parallel.data();
    if (ids.sequences() % data == 0) {
      return ParallelChecks.problems(model, parallel, layout(ids), ids.length());
    }
    List<Integer> nearest = new ArrayList<>();
    for (int ranks = 1; ranks <= ids.sequences(); ranks++) {
      if (ids.sequences() % ranks == 0) {
        nearest.add(ranks);
      }
    }
    return List.of(
        new FieldProblem(
            "parallel.data",
            "parallel.data is "
                + data
                + ", but a batch of "
                + ids.sequences()
                + " sequences does not divide among so many ranks",
            "Valid: " + nearest));
  }

  private Layout layout(TokenIds ids) {
    Layout layout =
        new Layout(
            parallel.data(),
            parallel.tensor(),
            parallel.pipeline(),
            parallel.expert(),
            parallel.context(),
            parallel.zero(),
            microBatch(ids),
            accumulation(ids),
            Recompute.NONE,
            Offload.NONE,
            LossKind.CHUNKED,
            Precision.FP32,
            Method.FULL);
    return layout.with(parallel.order());
  }

  /** Sequences of a micro-batch. */
  int microBatch(TokenIds ids) {
    return parallel.pipeline() > 1 ? 1 : ids.sequences() / parallel.data();
  }

  /** Micro-batches of a rank. */
  int accumulation(TokenIds ids) {
    return ids.sequences() / parallel.data() / microBatch(ids);
  }

  /** The micro-batches of a data-parallel rank. */
  List<MicroBatch> share(TokenIds ids, int dataRank) {
    int each = microBatch(ids);
    int count = accumulation(ids);
    List<MicroBatch> share = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      share.add(ids.microBatch((dataRank * count + i) * each, each));
    }
    return share;
  }
}
