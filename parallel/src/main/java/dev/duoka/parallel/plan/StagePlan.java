package dev.duoka.parallel.plan;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.weight.BlockRange;
import java.util.ArrayList;
import java.util.List;

/**
 * How a model is cut into pipeline stages: neighbouring blocks each, the embedding with the first
 * and everything behind the last decoder layer with the last.
 *
 * @param stages in the order of the forward pass
 */
public record StagePlan(List<BlockRange> stages) {
  public StagePlan {
    stages = List.copyOf(stages);
  }

  /** The whole model as one stage. */
  public static final StagePlan WHOLE = new StagePlan(List.of(BlockRange.ALL));

  /**
   * Stages with these numbers of decoder layers.
   *
   * @throws IllegalArgumentException when they are not all layers of the model
   */
  public static StagePlan ofLayers(ModelConfig model, List<Integer> layers) {
    if (layers.stream().mapToInt(Integer::intValue).sum() != model.layers()) {
      throw new IllegalArgumentException(
          "stages of " + layers + " layers for a model of " + model.layers());
    }
    List<BlockRange> stages = new ArrayList<>();
    int first = BlockRange.EMBEDDING;
    int layer = 0;
    for (int i = 0; i < layers.size(); i++) {
      layer += layers.get(i);
      int end = i == layers.size() - 1 ? Integer.MAX_VALUE : BlockRange.ofLayer(layer);
      stages.add(new BlockRange(first, end));
      first = end;
    }
    return new StagePlan(stages);
  }

  /**
   * Stages whose most expensive one is as cheap as can be; among equals the later stages have less,
   * since the last waits for the head.
   *
   * @param length tokens of a sequence, for the cost of attention
   * @param predictionDepth modules that predict further tokens, all on the last stage
   */
  public static StagePlan balanced(ModelConfig model, int stages, int length, int predictionDepth) {
    if (stages == 1) {
      return WHOLE;
    }
    if (stages > model.layers()) {
      throw new IllegalArgumentException(stages + " stages for " + model.layers() + " layers");
    }
    BlockCosts costs = BlockCosts.of(model, length, predictionDepth);
    return ofLayers(
        model, new BalancedCut(costs.layers(), costs.first(), costs.last()).into(stages));
  }

  /** The number of decoder layers of each stage. */
  public List<Integer> layers(ModelConfig model) {
    List<Integer> counts = new ArrayList<>();
    int begin = 0;
    for (int i = 0; i < stages.size(); i++) {
      int end =
          i == stages.size() - 1 ? model.layers() : stages.get(i).end() - BlockRange.ofLayer(0);
      counts.add(end - begin);
      begin = end;
    }
    return counts;
  }
}
