package dev.duoka.parallel.plan;

import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.weight.BlockRange;
import dev.duoka.model.weight.Weight;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * How many weights a model with an adapter trains, by kind of block and from what it declares: for
 * estimates of layouts that are not built.
 *
 * @param blocks the mean block of each kind; kinds that train nothing are left out
 * @param count of all that are trained
 * @param share of the weights that multiply a token, those of the adapter among them, that are
 *     trained; from 0 to 1
 */
public record TrainedWeights(Map<Kind, Block> blocks, long count, double share) {
  /** Kinds of blocks. */
  public enum Kind {
    EMBEDDING,
    /** A decoder layer with a dense MLP. */
    DENSE,
    /** A decoder layer with routed experts. */
    MIXTURE,
    /** The last norm and the output head. */
    OUTPUT
  }

  /**
   * Weights that are trained in a block.
   *
   * @param cutAdapters of adapters that tensor ranks share out
   * @param wholeAdapters of adapters that each tensor rank has
   * @param expertAdapters of adapters beside all routed experts
   * @param cutBase of the model's own that tensor ranks share out
   * @param wholeBase of the model's own that each tensor rank has
   */
  public record Block(
      double cutAdapters,
      double wholeAdapters,
      double expertAdapters,
      double cutBase,
      double wholeBase) {
    /** Nothing. */
    public static final Block NONE = new Block(0, 0, 0, 0, 0);

    private static Block of(Weight weight) {
      ParameterSpec spec = weight.spec();
      double count = spec.elements();
      boolean cut = WeightPlan.isCut(spec);
      if (!weight.isAdapter()) {
        return new Block(0, 0, 0, cut ? count : 0, cut ? 0 : count);
      }
      return WeightPlan.isRoutedExperts(spec)
          ? new Block(0, 0, count, 0, 0)
          : new Block(cut ? count : 0, cut ? 0 : count, 0, 0, 0);
    }

    /** What is trained in both. */
    public Block plus(Block other) {
      return new Block(
          cutAdapters + other.cutAdapters,
          wholeAdapters + other.wholeAdapters,
          expertAdapters + other.expertAdapters,
          cutBase + other.cutBase,
          wholeBase + other.wholeBase);
    }

    /** What is trained in so many. */
    public Block times(double number) {
      return new Block(
          cutAdapters * number,
          wholeAdapters * number,
          expertAdapters * number,
          cutBase * number,
          wholeBase * number);
    }

    /** Weights of adapters beside all but routed experts, on one of so many tensor ranks. */
    public double adapters(int tensor) {
      return cutAdapters / tensor + wholeAdapters;
    }

    /** Weights of the model's own, on one of so many tensor ranks. */
    public double ofBase(int tensor) {
      return cutBase / tensor + wholeBase;
    }
  }

  public TrainedWeights {
    blocks = Map.copyOf(blocks);
  }

  /** Those of a model, without modules for further tokens, which are not trained with adapters. */
  public static TrainedWeights of(ModelConfig model) {
    List<Weight> all = ModelFactory.declared(model, 0).weights();
    List<Weight> trained = all.stream().filter(weight -> weight.spec().trainable()).toList();
    Map<Kind, Block> sums = new EnumMap<>(Kind.class);
    for (Weight weight : trained) {
      sums.merge(kind(model, weight.spec().block()), Block.of(weight), Block::plus);
    }
    sums.replaceAll((kind, sum) -> sum.times(1.0 / number(model, kind)));
    long count = trained.stream().mapToLong(weight -> weight.spec().elements()).sum();
    return new TrainedWeights(sums, count, active(model, trained) / active(model, all));
  }

  /** Weights that multiply a token: some of the routed experts', no embedding of its own. */
  private static double active(ModelConfig model, List<Weight> weights) {
    MoeConfig moe = model.moe();
    double chosen = moe == null ? 1 : (double) moe.expertsPerToken() / moe.routedExperts();
    double sum = 0;
    for (Weight weight : weights) {
      ParameterSpec spec = weight.spec();
      boolean isLookup = spec.block() == BlockRange.EMBEDDING && !model.tieEmbeddings();
      double share = WeightPlan.isRoutedExperts(spec) ? chosen : 1;
      sum += isLookup ? 0 : share * spec.elements();
    }
    return sum;
  }

  private static Kind kind(ModelConfig model, int block) {
    int layer = block - BlockRange.ofLayer(0);
    if (block == BlockRange.EMBEDDING) {
      return Kind.EMBEDDING;
    }
    if (layer >= model.layers()) {
      return Kind.OUTPUT;
    }
    return model.isMoeLayer(layer) ? Kind.MIXTURE : Kind.DENSE;
  }

  private static int number(ModelConfig model, Kind kind) {
    int number = 0;
    for (int block = BlockRange.EMBEDDING; block <= BlockRange.ofLayer(model.layers()); block++) {
      number += kind(model, block) == kind ? 1 : 0;
    }
    return number;
  }

  /** What is trained in the mean block of a kind. */
  public Block of(Kind kind) {
    return blocks.getOrDefault(kind, Block.NONE);
  }
}
