package dev.duoka.parallel.step;

import dev.duoka.comm.Communicator;
import dev.duoka.engine.autograd.Substitution;
import dev.duoka.engine.function.ExpertPlacement;
import dev.duoka.engine.parameter.Bucket;
import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.formats.modelconfig.AttentionConfig;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.layout.Dispatcher;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.weight.BlockRange;
import dev.duoka.parallel.function.ContextParallel;
import dev.duoka.parallel.function.SpreadExperts;
import dev.duoka.parallel.function.TensorInference;
import dev.duoka.parallel.function.TensorParallel;
import dev.duoka.parallel.mesh.MeshGroups;
import dev.duoka.parallel.plan.RankPlan;
import dev.duoka.parallel.plan.WeightGroup;
import dev.duoka.parallel.state.GradientGroups;
import java.util.Optional;

/**
 * Which ranks a rank works with for each of its weights and functions.
 *
 * @param groups along the axes of the mesh
 * @param plan what of the model the rank holds
 * @param dispatcher how tokens get to experts on other ranks
 */
record RankGroups(MeshGroups groups, RankPlan plan, ModelConfig model, Dispatcher dispatcher) {
  /** How many ranks share out what belongs to a bucket's group. */
  int shards(String bucketGroup) {
    return shards(WeightGroup.of(bucketGroup)).size();
  }

  private Communicator shards(WeightGroup group) {
    return switch (group) {
      case ALL, CUT -> groups.cutShards();
      case WHOLE -> groups.wholeShards();
      case EXPERTS -> groups.expertShards();
    };
  }

  private Communicator of(WeightGroup group) {
    return switch (group) {
      case ALL, CUT -> groups.cut();
      case WHOLE -> groups.whole();
      case EXPERTS -> groups.expertReplicas();
    };
  }

  /** The ranks with copies of some heads of this one; collective, the caller closes it. */
  Communicator headCopies() {
    return groups.headCopies(copies());
  }

  private int copies() {
    return model.attention() instanceof AttentionConfig.GroupedQuery heads
        ? Math.max(1, groups.mesh().tensor() / heads.kvHeads())
        : 1;
  }

  /** Over which ranks gradients are summed. */
  GradientGroups gradientGroups(Communicator headCopies, int predictionDepth) {
    return new GradientGroups(
        bucket -> of(WeightGroup.of(bucket.key().group())),
        bucket -> shards(WeightGroup.of(bucket.key().group())),
        groups.replicas(),
        headCopies,
        bucket -> hasTwin(bucket, predictionDepth) ? Optional.of(groups.ends()) : Optional.empty(),
        groups.whole(),
        groups.world(),
        ModelFactory.weights(model, predictionDepth).stream().map(ParameterSpec::name).toList());
  }

  /** Whether the embedding is used on the first and on the last stage. */
  private boolean hasTwin(Bucket bucket, int predictionDepth) {
    return bucket.key().block() == BlockRange.EMBEDDING
        && groups.ends().size() > 1
        && (model.tieEmbeddings() || predictionDepth > 0);
  }

  /** What takes the place of functions on this rank. */
  Substitution substitution() {
    Substitution tensor =
        groups.mesh().tensor() == 1
            ? Substitution.NONE
            : new TensorParallel(groups.tensor(), queriesPerKey());
    return groups.mesh().context() == 1 ? tensor : new ContextParallel(groups.context(), tensor);
  }

  /** As {@link #substitution}, of a rank that writes. */
  Substitution inference() {
    return groups.mesh().tensor() == 1
        ? Substitution.NONE
        : new TensorInference(groups.tensor(), queriesPerKey());
  }

  /** Where the experts are; the caller closes it. */
  ExpertPlacement experts() {
    MoeConfig moe = model.moe();
    return moe == null || groups.mesh().expert() == 1
        ? ExpertPlacement.HERE
        : new SpreadExperts(groups.expert(), dispatcher, SpreadExperts.routed(moe));
  }

  /** Query heads for each head of keys and values that the rank has. */
  private int queriesPerKey() {
    return switch (model.attention()) {
      case AttentionConfig.GroupedQuery heads ->
          heads.heads()
              / groups.mesh().tensor()
              / Math.max(1, heads.kvHeads() / groups.mesh().tensor());
      case AttentionConfig.MultiHeadLatent _ -> 1;
    };
  }
}
