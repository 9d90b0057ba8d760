package dev.duoka.parallel.step;

import dev.duoka.base.Resources;
import dev.duoka.comm.Communicator;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.engine.precision.PrecisionPolicy;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.ModelFactory;
import dev.duoka.parallel.function.ContextChunks;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.mesh.MeshGroups;
import dev.duoka.parallel.plan.RankPlan;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.tensor.Device;

/**
 * Everything that a rank allocates to train, and frees when it ends; the one place where model,
 * optimizer and step are put together. Owns the groups, too.
 *
 * @param groups the ranks of the mesh
 * @param plan what of the model is here
 */
public record TrainingRank(
    MeshGroups groups,
    RankPlan plan,
    Device device,
    LanguageModel model,
    ShardedOptimizer optimizer,
    LossScaler scaler,
    TrainingStep step,
    Communicator headCopies)
    implements AutoCloseable {
  /** Allocates a rank of a data-parallel run alone. */
  public static TrainingRank allocate(Communicator data, Device device, StepSettings settings) {
    return allocate(new Mesh(1, 1, data.size(), 1, 1, 1), data, device, settings);
  }

  /**
   * Allocates a rank on its device; the weights hold nothing yet. Collective.
   *
   * @param world as many ranks as the mesh has
   */
  public static TrainingRank allocate(
      Mesh mesh, Communicator world, Device device, StepSettings settings) {
    PrecisionPolicy policy = new PrecisionPolicy(settings.precision());
    int depth = settings.auxiliary().predictionDepth();
    RankPlan plan =
        settings
            .pipeline()
            .plan(mesh, world.rank(), settings.model(), settings.sequenceLength(), depth);
    try (Resources made = new Resources()) { // out of memory, say: what is there is freed
      MeshGroups groups = made.own(settings.pipeline().groups(mesh, world));
      RankGroups ofWeights = new RankGroups(groups, plan, settings.model(), settings.dispatcher());
      LanguageModel model =
          made.own(
              ModelFactory.create(
                  settings.model(),
                  new ModelFactory.Allocation(
                      policy.computeDtype(),
                      device,
                      true,
                      settings.sequenceLength(),
                      depth,
                      plan.part(
                          ofWeights::shards,
                          settings.zeroStage(),
                          settings.states(),
                          settings.model().layers(),
                          settings.updates().of(settings.model(), depth)))));
      policy.applyTo(model.parameters());
      Communicator headCopies = made.own(ofWeights.headCopies());
      ShardedOptimizer optimizer =
          made.own(
              new ShardedOptimizer(
                  model.parameters(),
                  ofWeights.gradientGroups(headCopies, depth),
                  settings.optimizer(),
                  settings.zeroStage(),
                  settings.states()));
      LossScaler scaler = new LossScaler(settings.lossScale(), settings.precision().scalesLoss());
      LocalTokens tokens =
          made.own(
              new LocalTokens(
                  model,
                  new ContextChunks(
                      mesh.context(), mesh.coordinate(world.rank(), Mesh.Axis.CONTEXT))));
      StagePass stage =
          new StagePass(model, tokens, plan, groups, ofWeights.substitution(), ofWeights.experts());
      TrainingStep step = made.own(new TrainingStep(stage, optimizer, scaler, settings));
      made.release();
      return new TrainingRank(groups, plan, device, model, optimizer, scaler, step, headCopies);
    }
  }

  /** All ranks of the run. */
  public Communicator world() {
    return groups.world();
  }

  @Override
  public void close() {
    try (groups;
        headCopies;
        model;
        optimizer;
        step) {
      // Closed in the opposite order, each even where another fails.
    }
  }
}
