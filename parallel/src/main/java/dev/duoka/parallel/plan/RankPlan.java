package dev.duoka.parallel.plan;

import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.engine.parameter.Residency;
import dev.duoka.engine.parameter.UpdateFactors;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.weight.BlockRange;
import dev.duoka.parallel.mesh.Mesh;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToIntFunction;

/**
 * What one rank of a mesh holds of a model.
 *
 * @param mesh how the ranks are numbered
 * @param rank which of them
 * @param stages all stages of the model
 * @param own the numbers of the stages that this rank runs
 */
public record RankPlan(Mesh mesh, int rank, StagePlan stages, List<Integer> own) {
  public RankPlan {
    own = List.copyOf(own);
  }

  /** The only rank of a model that is not spread. */
  public static RankPlan alone() {
    return new RankPlan(new Mesh(1, 1, 1, 1, 1, 1), 0, StagePlan.WHOLE, List.of(0));
  }

  /** The blocks of a stage. */
  public BlockRange blocks(int stage) {
    return stages.stages().get(stage);
  }

  /** The blocks of this rank's stages. */
  public List<BlockRange> blocks() {
    return own.stream().map(this::blocks).toList();
  }

  /**
   * What of the model is allocated here.
   *
   * @param shards into how many shards the buffers of a group of weights must divide
   * @param zeroStage what of weights, gradients and states the ranks of a group share
   * @param states in which form and where states and gradients are kept, and how many together
   * @param layers decoder layers of the whole model
   * @param factors how the update of a weight differs from that of most
   */
  public ModelFactory.Part part(
      ToIntFunction<String> shards,
      int zeroStage,
      StateSettings states,
      int layers,
      Function<ParameterSpec, UpdateFactors> factors) {
    WeightPlan weights = new WeightPlan(mesh, rank);
    boolean embeds = blocks().stream().anyMatch(BlockRange::embeds);
    return new ModelFactory.Part(
        blocks(),
        whole -> {
          ParameterSpec part = weights.part(whole);
          return whole.block() == BlockRange.EMBEDDING && !embeds ? copy(part) : part;
        },
        spec -> weights.group(spec).bucketGroup(),
        shards,
        key -> {
          if (states.updatesOnHost() && key.trainable()) {
            return Residency.NOTHING; // gradients leave, and weights come when they are asked for
          }
          boolean alone = shards.applyAsInt(key.group()) == 1;
          Residency shared = alone ? Residency.ALL : residency(zeroStage);
          // Weights that other ranks update are on their way while blocks before them compute.
          boolean later = states.passThroughDevice() || (!alone && zeroStage > 0);
          return later && key.trainable() ? shared.valuesLater() : shared;
        },
        states.form().gradients(),
        factors,
        new BucketBlocks(blocks(), layers, states.blocksPerBucket())::firstOf);
  }

  private static Residency residency(int zeroStage) {
    return switch (zeroStage) {
      case 0, 1 -> Residency.ALL;
      case 2 -> Residency.VALUES;
      case 3 -> Residency.NOTHING;
      default -> throw new IllegalArgumentException("ZeRO stage " + zeroStage);
    };
  }

  /** A weight that the rank of another stage keeps, too, and is counted there. */
  private static ParameterSpec copy(ParameterSpec part) {
    Portion portion = part.portion();
    return part.part(
        part.sections(),
        new Portion(
            portion.whole(),
            portion.dimension(),
            portion.stretches().stream()
                .map(it -> new Portion.Stretch(it.from(), it.to(), it.length(), it.copies(), false))
                .toList()));
  }
}
