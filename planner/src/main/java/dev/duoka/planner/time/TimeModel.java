package dev.duoka.planner.time;

import dev.duoka.hardware.Basis;
import dev.duoka.hardware.HostSample;
import dev.duoka.hardware.Machine;
import dev.duoka.hardware.MachineProfile;
import dev.duoka.layout.Layout;
import dev.duoka.layout.Offload;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.schedule.Timeline;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.planner.figure.Figure;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.layout.Stage;
import dev.duoka.planner.memory.StageParameters;
import dev.duoka.planner.memory.StateBytes;
import dev.duoka.planner.shape.ModelShape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Estimates how long a step of a layout takes. Remembers what layouts share; one thread. */
public final class TimeModel {
  /** Models of this kind are too fast by a few percent (SimuMax: −13.5 to +0.1 %). */
  private static final double BIAS = 0.05;

  /** Bytes that an update moves per parameter: 28, and the norm and clearing 4 each. */
  private static final double UPDATE_BYTES = 36;

  /** And where masters are copies in fp32. */
  private static final double MORE_OF_COPIES = 2;

  private static final double HOST_UPDATE_BYTES = 32;

  /** What published runs took of the predicted time at least (8 B200 at 128 K tokens: 0.9). */
  private static final double FASTEST = 0.88;

  /** At most: on one card; dense on several (8 H100: 1.61); mixtures (V2-Lite on 8 H100: 1.89). */
  private static final double SLOWEST_ALONE = 1.2;

  private static final double SLOWEST = 1.65;

  /**
   * The part of the forward pass that hides states that pass through the card: 300 of 348 ms where
   * those of all layers do, 290 where of half. Of a quarter nothing was hidden, since too little is
   * launched before the forward pass gets to those layers. All of 7B
   * (bench/results/2026-11-30-masters-in-two-bytes-one-h200.md).
   */
  private static final double HIDES_PASSAGE = 0.86;

  /** The least part of the states of whose passage something is hidden, where not all is ahead. */
  private static final double LEAST_HIDDEN = 0.5;

  /** How far steps whose parts were priced are off (bench/results). */
  private static final double SPREAD_ALONE = 0.05;

  private static final double SPREAD = 0.1;

  /**
   * What the slowest of several cards of a kind takes of the time of the first, which is the one
   * that is measured: by how much less it waited in six rows, 1.004 to 1.028
   * (bench/results/2026-11-29-rows-four-h200.md). All others wait for it.
   */
  private static final double SLOWEST_CARD = 1.011;

  private static final double SLOWEST_EXPERTS = 1.95;

  /** How much wider the range is on both sides where nobody measured the card's rates. */
  private static final double GUESSED_RATES = 0.25;

  /** Of these bytes those of the norm and of clearing, which no transfer hides. */
  private static final double NORM_BYTES = 8;

  /** The part of host memory's bandwidth that an update on the host reaches. */
  private static final double HOST_SHARE = 0.6;

  private final ModelShape shape;
  private final Job job;
  private final EngineTraits engine;
  private final LinkRates links;
  private final Map<Layout, MicroBatch> microBatches = new HashMap<>();
  private final @Nullable PricedSteps priced;

  /** For one model, job, program and machine. */
  public TimeModel(ModelShape shape, Job job, EngineTraits engine, LinkRates links) {
    this(shape, job, engine, links, null);
  }

  /**
   * As the other one.
   *
   * @param priced says what the parts of a step take where the engine runs it; null for nobody
   */
  public TimeModel(
      ModelShape shape,
      Job job,
      EngineTraits engine,
      LinkRates links,
      @Nullable PricedSteps priced) {
    this.shape = shape;
    this.job = job;
    this.engine = engine;
    this.links = links;
    this.priced = priced;
  }

  /** The estimate of a step by closed forms. */
  public StepTime estimate(Layout layout, List<Stage> stages) {
    return estimate(layout, stages, false);
  }

  /**
   * The estimate of a step.
   *
   * @param runs whether the engine runs the layout, so that its parts can be priced
   */
  public StepTime estimate(Layout layout, List<Stage> stages, boolean runs) {
    Optional<List<PricedStep>> parts =
        runs && priced != null ? priced.of(shape, layout, job.sequenceLength()) : Optional.empty();
    Seconds step = step(layout, stages, parts);
    if (parts.isPresent()) {
      return priced(step.byCause(), layout.gpus() > 1 ? SPREAD : SPREAD_ALONE);
    }
    boolean measured = links.machine().card().achievable().basis() != Basis.ASSUMED;
    double high =
        shape.hasExperts() ? SLOWEST_EXPERTS : layout.gpus() > 1 ? SLOWEST : SLOWEST_ALONE;
    return new StepTime(
        step.byCause(),
        step.total() * (measured ? FASTEST : FASTEST - GUESSED_RATES),
        step.total() * (measured ? high : high + GUESSED_RATES),
        false);
  }

  /** What was measured is within its spread, what was not within that of formulas. */
  private static StepTime priced(Map<Cause, Figure> seconds, double spread) {
    double low = 0;
    double high = 0;
    for (Figure figure : seconds.values()) {
      boolean guessed = figure.basis() == Basis.ASSUMED;
      low += figure.value() * (guessed ? FASTEST - GUESSED_RATES : 1 - spread);
      high += figure.value() * (guessed ? SLOWEST + GUESSED_RATES : 1 + spread);
    }
    return new StepTime(seconds, low, high, true);
  }

  /** Counts the parts of layouts that the engine runs, side by side; they are kept. */
  public void price(List<Layout> layouts) {
    if (priced != null) {
      layouts.parallelStream().forEach(it -> priced.of(shape, it, job.sequenceLength()));
    }
  }

  /** The seconds of a step alone. */
  public double seconds(Layout layout, List<Stage> stages) {
    return step(layout, stages, Optional.empty()).total();
  }

  private Seconds step(Layout layout, List<Stage> stages, Optional<List<PricedStep>> parts) {
    Spans spans = Spans.of(layout);
    MicroBatch microBatch =
        parts.isPresent()
            ? microBatch(layout, spans, stages, parts)
            : microBatches.computeIfAbsent(
                layout.withoutStates(), key -> microBatch(key, spans, stages, parts));
    double slowest = microBatch.slowest().total();
    Seconds step = new Seconds();
    step.add(microBatch.slowest(), layout.accumulation());
    Basis ofCard = links.machine().card().achievable().basis();
    step.add(Cause.PIPELINE_BUBBLE, microBatch.idle(), parts.isPresent() ? Basis.MEASURED : ofCard);
    StateBytes state = StateBytes.of(layout, shape.config(), engine);
    double forward = slowest * shares(layout).forward();
    double left =
        new DataExchange(shape, engine, links, layout, spans)
            .add(step, microBatch.parameters(), state, slowest, forward);
    update(step, layout, microBatch.parameters(), state, left, forward, parts);
    if (parts.isEmpty()) {
      step.add(Cause.OTHER, BIAS * step.total(), Basis.ASSUMED);
    }
    return step;
  }

  /**
   * A micro-batch through all stages, the same whatever ZeRO and offload do with the states.
   *
   * @param slowest seconds of the slowest rank
   * @param idle seconds of a step that it waits
   * @param parameters of the rank with most of them, which its reductions and its update wait for
   */
  private record MicroBatch(Seconds slowest, double idle, StageParameters parameters) {}

  private MicroBatch microBatch(
      Layout layout, Spans spans, List<Stage> stages, Optional<List<PricedStep>> parts) {
    MicroBatchTime model = new MicroBatchTime(shape, job, engine, links, layout, spans);
    List<Seconds> times = new ArrayList<>();
    List<Timeline.StageTime> shares = new ArrayList<>();
    for (int i = 0; i < stages.size(); i++) {
      PricedStep price = parts.isPresent() ? parts.get().get(i % layout.pipeline()) : null;
      shares.add(price == null ? shares(layout) : shares(price));
      // A stage that holds what the one before it holds takes the same time.
      boolean same = price == null && i > 0 && stages.get(i).isLike(stages.get(i - 1));
      times.add(
          same
              ? times.getLast()
              : model.of(stages.get(i), price == null ? null : ofStage(price, layout)));
    }
    Seconds slowest = new Seconds();
    for (int rank = 0; rank < layout.pipeline(); rank++) {
      Seconds own = times.get(rank);
      if (stages.size() > layout.pipeline()) {
        own = new Seconds();
        for (int at = rank; at < times.size(); at += layout.pipeline()) {
          own.add(times.get(at), 1);
        }
      }
      slowest = own.total() > slowest.total() ? own : slowest;
    }
    return new MicroBatch(
        slowest,
        new PipelineIdle(layout, times, shares).seconds(slowest.total()),
        largest(layout, Stage.ofRanks(stages, layout.pipeline())));
  }

  /** A rank's stages share what it computes. */
  private static Seconds ofStage(PricedStep price, Layout layout) {
    Seconds own = new Seconds();
    double slowest = layout.gpus() > 1 ? SLOWEST_CARD : 1;
    own.add(price.computing(), slowest / layout.order().stagesPerRank());
    return own;
  }

  /** The shares of a stage's time in its passes. */
  private static Timeline.StageTime shares(PricedStep price) {
    double all = price.forward() + price.inputGradients() + price.weightGradients();
    return new Timeline.StageTime(
        price.forward() / all, price.inputGradients() / all, price.weightGradients() / all, 0);
  }

  /** A forward pass is a third of a stage's time; run again, a quarter, and then W goes with B. */
  static Timeline.StageTime shares(Layout layout) {
    return layout.recompute() == Recompute.FULL
        ? new Timeline.StageTime(0.25, 0.75, 0, 0)
        : new Timeline.StageTime(1 / 3.0, 1 / 3.0, 1 / 3.0, 0);
  }

  private StageParameters largest(Layout layout, List<Stage> held) {
    StageParameters most = StageParameters.of(shape, held.getFirst(), layout);
    for (Stage stage : held) {
      StageParameters parameters = StageParameters.of(shape, stage, layout);
      if (parameters.dense() + parameters.expert() > most.dense() + most.expert()) {
        most = parameters;
      }
    }
    return most;
  }

  private void update(
      Seconds step,
      Layout layout,
      StageParameters parameters,
      StateBytes state,
      double hidden,
      double forward,
      Optional<List<PricedStep>> parts) {
    Machine machine = links.machine();
    boolean shard = layout.zero() >= 1;
    double dense = parameters.trainedDense(layout);
    double expert = parameters.trainedExpert(layout);
    double local =
        dense / (shard ? layout.replicas() : 1) + expert / (shard ? layout.expertReplicas() : 1);
    if (layout.offload() == Offload.NONE && parts.isPresent()) {
      double slowest = parts.get().stream().mapToDouble(PricedStep::update).max().orElseThrow();
      step.add(Cause.OPTIMIZER, slowest, Basis.MEASURED);
      return;
    }
    if (layout.offload() == Offload.NONE) {
      double rate = machine.card().memoryGbs() * 1e9 * machine.card().achievable().memory();
      step.add(
          Cause.OPTIMIZER, updateBytes(layout) * local / rate, machine.card().achievable().basis());
      return;
    }
    double bus = links.hostBandwidth().value();
    double hostRate = machine.host().memoryGbs() * 1e9 * HOST_SHARE;
    if (!layout.updatesOnHost()) {
      double rate = machine.card().memoryGbs() * 1e9 * machine.card().achievable().memory();
      double away = layout.offloadFraction();
      double spared = (updateBytes(layout) - NORM_BYTES) * away * local / rate;
      double whole =
          parts
              .map(all -> all.stream().mapToDouble(PricedStep::update).max().orElseThrow())
              .orElse(updateBytes(layout) * local / rate);
      // What launches take stays, however little is updated here.
      double here = Math.max(whole - spared, NORM_BYTES * away * local / rate);
      step.add(
          Cause.OPTIMIZER,
          here,
          parts.isPresent() ? Basis.MEASURED : machine.card().achievable().basis());
      // Up and down at once; all cards together draw on one host's memory for both.
      double each = local * state.optimizer() * away;
      Figure link = links.hostBandwidthBothWays();
      double byLink = each / link.value();
      double byHost = 2 * each * layout.gpus() / hostRate;
      double passage = Math.max(byLink, byHost);
      // The next forward pass waits for each block's weights alone, and takes the card from
      // updates.
      boolean isAhead = away * local <= ShardedOptimizer.launchedAhead(away);
      double hides = away < LEAST_HIDDEN && !isAhead ? 0 : HIDES_PASSAGE;
      double exposed = Math.max(0.1 * passage, passage - hides * forward);
      step.add(Cause.OFFLOAD, exposed, byLink < byHost ? Basis.ASSUMED : link.basis());
      return;
    }
    double transfers = local * (state.gradient() + state.weight()) / bus;
    Optional<HostSample> host = machine.profile().flatMap(MachineProfile::host);
    double update =
        host.isPresent()
            ? host.get().updateSeconds() * local * layout.gpus()
            : HOST_UPDATE_BYTES * local * layout.gpus() / hostRate;
    // Transfers run beside the update, but draw on the same memory: nothing is gained.
    step.add(Cause.OFFLOAD, transfers + update, host.isPresent() ? Basis.MEASURED : Basis.ASSUMED);
    if (layout.offload() == Offload.PARAMETERS) {
      // Every card fetches its part of all weights, also of the frozen ones, forward and backward;
      // all cards together draw on one host's memory.
      double stream = Math.min(bus, hostRate / layout.gpus());
      double each = 2 * parameters.weightBytes(layout, state) / stream;
      double exposed = Math.max(0.1 * each, each - hidden);
      step.add(Cause.OFFLOAD, layout.accumulation() * exposed, Basis.ASSUMED);
    }
  }

  private double updateBytes(Layout layout) {
    boolean copies = engine.copiesMasters() || layout.precision() == Precision.FP16;
    boolean keeps = layout.states().keepsMasterOf(layout.precision());
    return UPDATE_BYTES + (copies && keeps ? MORE_OF_COPIES : 0);
  }
}
