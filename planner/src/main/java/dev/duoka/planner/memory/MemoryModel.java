package dev.duoka.planner.memory;

import dev.duoka.formats.modelconfig.LayerShape;
import dev.duoka.formats.modelconfig.Product;
import dev.duoka.hardware.Basis;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.Recompute;
import dev.duoka.layout.Segments;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.planner.figure.Figure;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.layout.Stage;
import dev.duoka.planner.shape.ModelShape;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Estimates the device memory of a layout's busiest rank. Pure arithmetic, no state. */
public final class MemoryModel {
  /** Bytes of a weight in the copy for checkpoints: it and both moments in fp32. */
  public static final int CHECKPOINT_COPY = 12;

  private static final double GIB = 1L << 30;

  /** Chunks of fp32 logits, their gradient and a copy that the chunked loss holds. */
  private static final double LOSS_CHUNKS = 3 * 64.0 * (1 << 20);

  /** Bytes of an offloaded parameter that wait in host memory on their way, as dry runs count. */
  private static final double TRAVELLING = 2.6;

  private final ModelShape shape;
  private final Job job;
  private final EngineTraits engine;

  /** For one model, job and program. */
  public MemoryModel(ModelShape shape, Job job, EngineTraits engine) {
    this.shape = shape;
    this.job = job;
    this.engine = engine;
  }

  /** The estimate for the pipeline stage that needs most. */
  public MemoryEstimate estimate(Layout layout, List<Stage> stages) {
    Busiest busiest = busiest(layout, stages);
    StageBytes bytes = busiest.bytes();
    Map<Owner, Figure> figures = new EnumMap<>(Owner.class);
    figures.put(Owner.WEIGHTS, Figure.exact(bytes.states().weights()));
    figures.put(Owner.GRADIENTS, Figure.exact(bytes.states().gradients()));
    figures.put(Owner.OPTIMIZER, Figure.exact(bytes.states().optimizer()));
    Basis routing = layout.expert() > 1 ? Basis.ASSUMED : Basis.EXACT;
    figures.put(Owner.ACTIVATIONS, new Figure(bytes.activations(), routing));
    figures.put(Owner.LOGITS, Figure.exact(bytes.logits()));
    figures.put(Owner.TEMPORARIES, Figure.assumed(bytes.temporaries()));
    figures.put(Owner.NCCL, nccl(layout));
    figures.put(Owner.CONTEXT, engine.contextBytes());
    figures.put(Owner.WORKSPACE, engine.workspaceBytes());
    // States lie in few flat buffers, which do not fragment.
    figures.put(Owner.RESERVE, Figure.measured(reserve(layout, bytes)));
    return new MemoryEstimate(
        figures, busiest.stage(), busiest.host(), MemoryEstimate.Source.CLOSED_FORM);
  }

  /**
   * Bytes that the busiest rank of experts keeps beyond an equal share, which is all that a dry run
   * knows of.
   */
  public double imbalanceBytes(Layout layout, Stage stage) {
    if (layout.expert() == 1 || job.imbalance() == 1) {
      return 0;
    }
    Job even = new Job(job.sequenceLength(), job.tokensPerStep(), 1);
    MemoryModel balanced = new MemoryModel(shape, even, engine);
    return stageBytes(layout, stage).inUse() - balanced.stageBytes(layout, stage).inUse();
  }

  /**
   * Bytes of the tensors of a stage, by which a search orders what it lets run with shapes alone.
   */
  public double tensorBytes(Layout layout, Stage stage) {
    return stageBytes(layout, stage).total();
  }

  /**
   * Bytes of host memory of the copy that a run keeps while it writes a checkpoint, beside states
   * that are there; 0 of states on the cards, whose host has little else to hold.
   */
  public double checkpointCopy(Layout layout) {
    return layout.offload() == Offload.NONE || layout.method().isAdapter()
        ? 0
        : CHECKPOINT_COPY * shape.parameters();
  }

  /** What {@link #estimate} comes to, without its owners: a search asks for nothing else. */
  public MemoryDemand demand(Layout layout, List<Stage> stages) {
    Busiest busiest = busiest(layout, stages);
    double device =
        busiest.bytes().total()
            + reserve(layout, busiest.bytes())
            + nccl(layout).value()
            + engine.contextBytes().value()
            + engine.workspaceBytes().value();
    return new MemoryDemand(device, busiest.states(), busiest.host());
  }

  private Busiest busiest(Layout layout, List<Stage> stages) {
    StageBytes most = null;
    StageBytes bytes = null;
    Stage before = null;
    int index = 0;
    double states = 0;
    double host = checkpointCopy(layout);
    for (Stage stage : stages) {
      // Of stages that hold the same the first has most micro-batches in flight, and as many
      // states.
      if (before == null || bytes == null || !stage.isLike(before)) {
        bytes = stageBytes(layout, stage);
        states = Math.max(states, bytes.states().device());
        if (most == null
            || bytes.total() + reserve(layout, bytes) > most.total() + reserve(layout, most)) {
          most = bytes;
          index = stage.index();
        }
      }
      host += bytes.states().host() * layout.gpus() / layout.pipeline();
      before = stage;
    }
    if (most == null) {
      throw new IllegalArgumentException("a layout without stages");
    }
    return new Busiest(most, index, states, host);
  }

  /** The stage that needs most; the largest states on a card, and the host memory of all. */
  private record Busiest(StageBytes bytes, int stage, double states, double host) {}

  /** What differs between stages, in bytes of one rank. */
  private record StageBytes(States states, double activations, double logits, double temporaries) {
    double total() {
      return states.device() + inUse();
    }

    double inUse() {
      return activations + logits + temporaries;
    }
  }

  private StageBytes stageBytes(Layout layout, Stage stage) {
    StateBytes state = StateBytes.of(layout, shape.config(), engine);
    StageParameters parameters = StageParameters.of(shape, stage, layout);
    return new StageBytes(
        states(layout, state, parameters),
        activations(layout, stage),
        logits(layout, stage),
        temporaries(layout, stage, state, parameters));
  }

  private double reserve(Layout layout, StageBytes bytes) {
    return engine.reserve(segments(layout), bytes.inUse());
  }

  private Segments segments(Layout layout) {
    return Segments.of(shape.config().moe() != null, layout.method().isAdapter());
  }

  /** Bytes of states on a rank: on the device by kind, and in host memory. */
  private record States(double weights, double gradients, double optimizer, double host) {
    double device() {
      return weights + gradients + optimizer;
    }
  }

  private static States states(Layout layout, StateBytes state, StageParameters parameters) {
    int zero = layout.zero();
    double replicas = layout.replicas();
    double expertReplicas = layout.expertReplicas();
    double trainedDense = parameters.trainedDense(layout);
    double trainedExpert = parameters.trainedExpert(layout);
    double weights = parameters.weightBytes(layout, state);
    double gradients =
        sharded(trainedDense, replicas, trainedExpert, expertReplicas, zero >= 2)
            * state.gradient();
    double optimizer =
        sharded(trainedDense, replicas, trainedExpert, expertReplicas, zero >= 1)
            * state.optimizer();
    // Beside the states the host holds what travels to the card and from it.
    double travelling = optimizer / state.optimizer() * TRAVELLING;
    double away = optimizer / state.optimizer() * state.gradient();
    double gone = layout.offloadFraction() * optimizer;
    double atOnce = ShardedOptimizer.passingAtOnce(layout.offloadFraction());
    double passing = Math.min(gone, atOnce * state.optimizer());
    return switch (layout.offload()) {
      case NONE -> new States(weights, gradients, optimizer, 0);
      case OPTIMIZER ->
          layout.updatesOnHost()
              ? new States(weights, 0, 0, optimizer + away + travelling)
              : new States(weights, gradients, optimizer - gone + passing, gone);
      case PARAMETERS -> new States(0, 0, 0, optimizer + away + travelling + weights);
    };
  }

  private static double sharded(
      double dense, double replicas, double expert, double expertReplicas, boolean shard) {
    return shard ? dense / replicas + expert / expertReplicas : dense + expert;
  }

  /** Tokens of one micro-batch on one rank, before tensor parallelism. */
  private double tokens(Layout layout) {
    return (double) layout.microBatch() * job.sequenceLength() / layout.context();
  }

  private double activations(Layout layout, Stage stage) {
    double perToken =
        stage.dense() * SavedActivations.perToken(shape, shape.dense(), layout, job, engine)
            + stage.mixture()
                * SavedActivations.perToken(shape, shape.mixture(), layout, job, engine);
    LayerShape extra = stage.mtpMixture() ? shape.mixture() : shape.dense();
    double width = (double) layout.precision().bytes() * shape.hidden() / layout.tensor();
    // An MTP module also keeps two norms' inputs and the joint vector.
    double mtp =
        stage.mtp() * (SavedActivations.perToken(shape, extra, layout, job, engine) + 4 * width);
    double live = layout.recompute() == Recompute.FULL ? liveLayer(layout, stage) : 0;
    double head = stage.last() ? 2 * width * stage.heads() : 0;
    double ids = stage.first() ? 8 : 0;
    double inFlight = Math.min(layout.accumulation(), inFlight(layout, stage.index()));
    return tokens(layout) * (inFlight * (perToken + mtp + head + ids) + live);
  }

  /** Micro-batches of which a rank keeps all its layers' activations, at most. */
  private static double inFlight(Layout layout, int rank) {
    int ranks = layout.pipeline();
    int each = layout.order().stagesPerRank();
    return switch (layout.order().kind()) {
      case GPIPE -> layout.accumulation();
      case ONE_F_ONE_B -> ranks - rank;
      case INTERLEAVED -> (2.0 * (ranks - rank - 1) + (each - 1.0) * ranks + 1) / each;
      case ZERO_BUBBLE -> ranks;
    };
  }

  /** What a layer keeps while full recompute runs it again. */
  private double liveLayer(Layout layout, Stage stage) {
    double dense =
        stage.dense() == 0
            ? 0
            : SavedActivations.perToken(shape, shape.dense(), layout, job, engine, Recompute.NONE);
    double mixture =
        stage.mixture() + stage.mtp() == 0
            ? 0
            : SavedActivations.perToken(
                shape, shape.mixture(), layout, job, engine, Recompute.NONE);
    return Math.max(dense, mixture);
  }

  private double logits(Layout layout, Stage stage) {
    if (!stage.last()) {
      return 0;
    }
    double tokens = tokens(layout);
    double vocabulary = (double) shape.vocabulary() / layout.tensor();
    int bytes = layout.precision().bytes();
    return switch (layout.loss()) {
      case UNFUSED -> stage.heads() * tokens * vocabulary * (4 + bytes);
      case FUSED -> stage.heads() * tokens * vocabulary * bytes;
      case CHUNKED ->
          stage.heads() * tokens * shape.hidden() * bytes / layout.tensor()
              + Math.min(LOSS_CHUNKS, 3 * 4 * tokens * vocabulary);
    };
  }

  private double temporaries(
      Layout layout, Stage stage, StateBytes state, StageParameters parameters) {
    double tokens = tokens(layout) / layout.tensor();
    int bytes = layout.precision().bytes();
    double routed =
        shape.mixture().expertsPerToken() * SavedActivations.imbalance(layout, job) * tokens;
    double width = Math.max(stage.dense() > 0 ? shape.dense().width() : 0, shape.mixture().width());
    double operation = bytes * tokens * (3 * width + 2 * shape.hidden());
    if (stage.mixture() + stage.mtp() > 0) {
      operation =
          Math.max(
              operation, bytes * routed * (3 * shape.mixture().expertWidth() + 2 * shape.hidden()));
    }
    double unfused =
        4
            * engine.temporaryRows()
            * Math.max(tokens * width, routed * shape.mixture().expertWidth());
    if (stage.last() && layout.loss() == LossKind.UNFUSED) {
      operation = Math.max(operation, 2 * 4 * tokens * shape.vocabulary());
    }
    double dispatch =
        layout.expert() > 1 && stage.mixture() > 0 ? 2 * bytes * routed * shape.hidden() : 0;
    double gathered = layout.tensor() > 1 ? bytes * tokens(layout) * shape.hidden() : 0;
    double buckets = 0;
    // Two buckets of whatever is not kept: one that computes and one that travels.
    double bucket = parameters.largestBucket();
    if ((layout.zero() >= 3 && layout.replicas() > 1) || layout.offload() == Offload.PARAMETERS) {
      double weight = layout.method() == Method.QLORA ? state.frozen() : state.weight();
      buckets = 2 * bucket * (weight + state.gradient());
    } else if (layout.zero() == 2 || layout.updatesOnHost()) {
      buckets = 2 * bucket * state.gradient();
    }
    double head =
        stage.last()
            ? engine.headScratchBytes() * shape.embeddingParameters() / layout.tensor()
            : 0;
    return Math.max(head, Math.max(operation, unfused))
        + dispatch
        + gathered
        + buckets
        + scratch(layout, stage);
  }

  /** One 16-bit buffer per distinct shape of weight on the stage. */
  private double scratch(Layout layout, Stage stage) {
    if (!engine.weightGradientScratch()) {
      return 0;
    }
    Set<Product> shapes = new HashSet<>();
    shapes.addAll(stage.dense() > 0 ? shape.dense().products() : List.of());
    shapes.addAll(stage.mixture() > 0 ? shape.mixture().products() : List.of());
    if (stage.last()) {
      shapes.add(shape.head());
    }
    double sum = 0;
    for (Product product : shapes) {
      sum += 2 * product.parameters(layout.tensor());
    }
    return sum;
  }

  /** Ring buffers of one group, more for each further axis, and connections of all pairs. */
  private Figure nccl(Layout layout) {
    if (layout.gpus() == 1 || !engine.libraryOfCollectives()) {
      return Figure.ZERO;
    }
    int groups = Math.max(1, layout.axes() - (layout.expert() > 1 ? 1 : 0));
    Figure rings = Figure.assumed(GIB * (1 + 0.5 * (groups - 1)));
    return layout.expert() > 1 ? rings.plus(Figure.measured(3.2 * GIB)) : rings;
  }
}
