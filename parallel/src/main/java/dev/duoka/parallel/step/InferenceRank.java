package dev.duoka.parallel.step;

import dev.duoka.base.Resources;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.Pending;
import dev.duoka.engine.autograd.Substitution;
import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.ExpertPlacement;
import dev.duoka.engine.parameter.UpdateFactors;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Dispatcher;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.layer.KeyValueCache;
import dev.duoka.model.layer.Pass;
import dev.duoka.model.weight.BlockRange;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.mesh.MeshGroups;
import dev.duoka.parallel.plan.RankPlan;
import dev.duoka.parallel.plan.StateSettings;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.List;

/**
 * One rank of a model that writes: its part of the weights, without gradients and states. The
 * stages of a pipeline work one after the other, tensor ranks share each product, experts may be
 * spread; data-parallel ranks, which experts are spread over, all write the same text. Owns the
 * model and the groups; one thread.
 */
public final class InferenceRank implements AutoCloseable {
  private final MeshGroups groups;
  private final LanguageModel model;
  private final BlockRange blocks;
  private final Substitution substitution;
  private final ExpertPlacement experts;
  private final Resources owned;
  private boolean adapted = true;

  private InferenceRank(
      MeshGroups groups,
      LanguageModel model,
      RankPlan plan,
      RankGroups ofWeights,
      Resources owned) {
    this.groups = groups;
    this.model = model;
    this.blocks = plan.blocks().getFirst();
    this.substitution = ofWeights.inference();
    this.experts = owned.own(ofWeights.experts());
    this.owned = owned;
  }

  /**
   * Allocates a rank on its device; the weights hold nothing yet. Collective.
   *
   * @param mesh without context ranks
   * @param layers decoder layers of each stage; empty for stages of about equal cost
   * @param dtype of weights and activations
   */
  public static InferenceRank allocate(
      Mesh mesh,
      List<Integer> layers,
      Communicator world,
      Device device,
      ModelConfig config,
      Dtype dtype) {
    if (mesh.context() > 1) {
      throw new IllegalArgumentException("a token that is written cannot be cut into chunks");
    }
    PipelineSettings usual = PipelineSettings.DEFAULT;
    RankPlan plan =
        new PipelineSettings(usual.kind(), usual.stagesPerRank(), layers)
            .plan(mesh, world.rank(), config, config.maxPositions(), 0);
    try (Resources made = new Resources()) {
      MeshGroups groups = made.own(new MeshGroups(mesh, world));
      RankGroups ofWeights = new RankGroups(groups, plan, config, Dispatcher.AUTO);
      LanguageModel model =
          made.own(
              ModelFactory.create(
                  config,
                  new ModelFactory.Allocation(
                      dtype,
                      device,
                      false,
                      config.maxPositions(),
                      0,
                      plan.part(
                          ofWeights::shards,
                          0,
                          StateSettings.FULL,
                          config.layers(),
                          _ -> UpdateFactors.ONE))));
      return new InferenceRank(groups, model, plan, ofWeights, made.release());
    }
  }

  /** Lets adapters add to their layers from now on, as they do at first, or not. */
  public void setAdapted(boolean on) {
    adapted = on;
  }

  /** What of the model is here. */
  public LanguageModel model() {
    return model;
  }

  /**
   * The logits after the last of these tokens, of the whole vocabulary and on every rank.
   * Collective.
   *
   * @param position of the first of them
   * @param cache keys and values of this rank's layers for the tokens before; the new ones are
   *     added
   */
  public float[] logits(int[] input, long position, KeyValueCache cache) {
    long[] ids = new long[input.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = input[i];
    }
    double[] all = new double[model.config().vocabSize()];
    try (Scope _ = Scope.open(MemoryOwner.ACTIVATIONS)) {
      addHere(all, ids, position, cache);
    }
    float[] logits = new float[all.length];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) all[i];
    }
    return logits;
  }

  private void addHere(double[] all, long[] ids, long position, KeyValueCache cache) {
    try {
      Tensor tokens = HostCopy.fromLongs(ids, model.parameters().device(), 1, ids.length);
      Passed passed = pass(tokens, position, cache);
      if (model.hasHead(blocks) && groups.mesh().dataRank(groups.world().rank()) == 0) {
        int first = Math.toIntExact(firstToken());
        float[] here = HostCopy.floats(passed.result());
        for (int i = 0; i < here.length; i++) {
          all[first + i] = here[i];
        }
      }
      groups.world().agreement().sum(all); // one rank has each of them, so the sum is exact
      passed.sent().join();
    } catch (Throwable t) { // of whatever kind: what was sent goes with the caller's scope
      groups.world().abort("a rank failed in its pass: " + t);
      throw t;
    }
  }

  /**
   * What a pass leaves.
   *
   * @param result of the last stage this rank's logits {@code [1, v]}, of others what they sent
   * @param sent the message to the next stage
   */
  private record Passed(Tensor result, Pending sent) {}

  /**
   * Runs a pass with shapes alone, on {@code meta}.
   *
   * @param tokens int64 {@code [1, t]}
   */
  public void dryPass(Tensor tokens, KeyValueCache cache) {
    pass(tokens, 0, cache).sent().join();
  }

  private Passed pass(Tensor tokens, long position, KeyValueCache cache) {
    try (Tape tape = Tape.inference()) {
      tape.substituteWith(substitution);
      Pass whole = Pass.generating(tape, 1, position, model.rotary(), cache).with(experts);
      Pass pass = adapted ? whole : whole.withoutAdapters();
      Variable first =
          blocks.embeds() ? model.embed(pass, tokens) : Variable.constant(received(tokens.size(1)));
      Variable last = model.layers(pass, first, blocks);
      if (model.hasHead(blocks)) {
        Tensor hidden = model.normed(pass, last).value();
        return new Passed(
            model.logits(pass, Views.narrow(hidden, 0, hidden.size(0) - 1, 1)), Pending.DONE);
      }
      Tensor dense = Views.dense(last.value());
      return new Passed(dense, groups.pipeline().send(dense, groups.pipeline().rank() + 1));
    }
  }

  private Tensor received(long rows) {
    Tensor input =
        Tensors.empty(
            model.parameters().dtype(),
            model.parameters().device(),
            rows,
            model.config().hiddenSize());
    groups.pipeline().receive(input, groups.pipeline().rank() - 1).join();
    return input;
  }

  /** Where this rank's part of the vocabulary begins. */
  private long firstToken() {
    return model.head().spec().portion().stretches().getFirst().from();
  }

  @Override
  public void close() {
    owned.close();
  }
}
