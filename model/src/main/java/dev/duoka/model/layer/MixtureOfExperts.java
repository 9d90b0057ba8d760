package dev.duoka.model.layer;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.Combine;
import dev.duoka.engine.function.Dispatch;
import dev.duoka.engine.function.GroupedLinear;
import dev.duoka.engine.function.Router;
import dev.duoka.engine.function.RouterRule;
import dev.duoka.engine.function.Routing;
import dev.duoka.engine.function.SortRows;
import dev.duoka.engine.function.SwiGlu;
import dev.duoka.engine.parameter.Axis;
import dev.duoka.engine.parameter.Section;
import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.model.weight.Weight;
import dev.duoka.model.weight.WeightDeclarations;
import dev.duoka.model.weight.WeightDeclarations.Rows;
import dev.duoka.tensor.Tensor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Shared experts that every token passes and routed experts of which each token gets a few
 * (DeepSeekMoE, arXiv:2401.06066 §3). No token is dropped, whatever the load.
 */
public final class MixtureOfExperts implements FeedForward {
  private final RouterRule rule;
  private final Weight router;
  private final Weight expertsGateAndUp;
  private final Weight expertsDown;
  private final @Nullable DenseFeedForward shared;
  private final @Nullable SelectionBias selectionBias;
  private @Nullable Consumer<Tensor> loadObserver;

  /** Declares the weights under the checkpoint's {@code prefix}. */
  public MixtureOfExperts(
      WeightDeclarations weights, String prefix, long hiddenSize, MoeConfig config) {
    rule = rule(config);
    Section hidden = Section.of(Axis.HIDDEN, hiddenSize);
    Section inner = Section.of(Axis.FEED_FORWARD, config.expertIntermediateSize());
    router =
        weights.matrix(
            prefix + "gate.weight", Section.of(Axis.EXPERTS, config.routedExperts()), hidden);
    selectionBias =
        config.selection() == MoeConfig.Selection.BIAS_CORRECTED
            ? new SelectionBias(
                weights.buffer(prefix + "gate.e_score_correction_bias", config.routedExperts()))
            : null;
    expertsGateAndUp =
        weights.experts(
            prefix + "experts.gate_up_proj",
            config.routedExperts(),
            hidden,
            new Rows(prefix + "experts.%d.gate_proj.weight", inner),
            new Rows(prefix + "experts.%d.up_proj.weight", inner));
    expertsDown =
        weights.experts(
            prefix + "experts.down_proj",
            config.routedExperts(),
            inner,
            new Rows(prefix + "experts.%d.down_proj.weight", hidden));
    shared =
        config.sharedExperts() == 0
            ? null
            : new DenseFeedForward(
                weights, prefix + "shared_experts.", hiddenSize, config.sharedIntermediateSize());
  }

  /** The bias that evens out the load, for models that have one. */
  public @Nullable SelectionBias selectionBias() {
    return selectionBias;
  }

  /**
   * Lets {@code observer} see, in every pass whose tokens count, how many of the tokens here each
   * expert of the model gets, int64 {@code [experts]}, which is freed afterwards; null for nobody.
   * A block that is recomputed is seen twice.
   */
  public void observeLoad(@Nullable Consumer<Tensor> observer) {
    loadObserver = observer;
  }

  @Override
  public Variable addTo(Variable residual, Pass pass, Variable hidden) {
    Tape tape = pass.tape();
    Variable[] routed =
        tape.applyAll(
            new Router(
                router.parameter(),
                rule,
                selectionBias == null ? null : selectionBias.value(),
                pass.balanceLoss()),
            hidden);
    Routing routing =
        pass.experts().route(routed[1].value(), rule.experts(), hidden.value().dtype());
    routing.holdOn(tape);
    // The bias of a router that is frozen is frozen, too.
    boolean counts = tape.isRecording() && pass.weighs() && router.spec().trainable();
    if (selectionBias != null && counts) {
      selectionBias.count(routing.counts());
    }
    if (loadObserver != null && pass.weighs()) {
      loadObserver.accept(routing.counts());
    }
    // Before the routed experts, so that a second run for the gradients needs none of their sums.
    Variable rest = shared == null ? residual : shared.addTo(residual, pass, hidden);
    Variable rowWeights = tape.apply(new SortRows(routing), routed[0]);
    Variable rows = tape.apply(new Dispatch(routing), hidden);
    Variable joint =
        tape.apply(
            new GroupedLinear(expertsGateAndUp.parameter(), pass.lora(expertsGateAndUp), routing),
            rows);
    Variable activated = tape.apply(new SwiGlu(), joint, rowWeights);
    Variable outputs =
        tape.apply(
            new GroupedLinear(expertsDown.parameter(), pass.lora(expertsDown), routing), activated);
    return tape.apply(new Combine(routing), outputs, rest);
  }

  private static RouterRule rule(MoeConfig config) {
    return new RouterRule(
        config.routedExperts(),
        config.expertsPerToken(),
        switch (config.scoring()) {
          case SOFTMAX -> RouterRule.Scoring.SOFTMAX;
          case SIGMOID -> RouterRule.Scoring.SIGMOID;
        },
        config.groups(),
        config.topkGroups(),
        switch (config.selection()) {
          case GREEDY, GROUP_LIMITED -> RouterRule.GroupScore.MAXIMUM;
          case BIAS_CORRECTED -> RouterRule.GroupScore.SUM_OF_TOP_TWO;
        },
        config.normalizeTopk(),
        config.scalingFactor());
  }
}
