package dev.duoka.train.run;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.adapter.AdapterSummary;
import dev.duoka.model.weight.FrozenWeights;
import dev.duoka.model.weight.Weight;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.step.RankBuilder;
import java.util.List;

/** What a run says of a model that it does not train all of. */
public final class TrainedNotices {
  private TrainedNotices() {}

  /** Which modules have an adapter, and how many weights are trained; nothing where all are. */
  public static List<String> of(RunConfig config) {
    ModelConfig model = ModelSource.config(config);
    int depth = new RankBuilder(config, model, null).settings().auxiliary().predictionDepth();
    return of(model, depth);
  }

  /**
   * As the other method.
   *
   * @param depth how many MTP modules are trained
   */
  static List<String> of(ModelConfig model, int depth) {
    List<Weight> weights = ModelFactory.declared(model, depth).weights();
    if (model.adapter() != null) {
      return AdapterSummary.lines(weights);
    }
    boolean all = weights.stream().allMatch(weight -> weight.spec().trainable());
    return all ? List.of() : List.of(FrozenWeights.summary(weights));
  }
}
