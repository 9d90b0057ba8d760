package dev.duoka.planner.time;

import dev.duoka.formats.modelconfig.LayerShape;
import dev.duoka.formats.modelconfig.Product;
import dev.duoka.hardware.Basis;
import dev.duoka.hardware.Card;
import dev.duoka.hardware.Collective;
import dev.duoka.hardware.StreamSample;
import dev.duoka.layout.Dispatcher;
import dev.duoka.layout.Layout;
import dev.duoka.layout.Method;
import dev.duoka.layout.Recompute;
import dev.duoka.layout.RoutedExperts;
import dev.duoka.planner.figure.Figure;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.layout.Stage;
import dev.duoka.planner.memory.StateBytes;
import dev.duoka.planner.shape.ModelShape;
import org.jspecify.annotations.Nullable;

/** How long one stage takes for forward and backward pass of one micro-batch. */
final class MicroBatchTime {
  /**
   * What experts' exchanges take in a step, by what they take alone: the rank to whose experts most
   * rows came is waited for. 1.38 to 1.68 times in eight steps of V2-Lite on two and four cards
   * (bench/results/2026-11-30-choices-and-adapters.md).
   */
  private static final double WAITING = 1.4;

  /**
   * What a micro-batch takes beyond its parts where experts are spread beside tensor or context
   * ranks, as a share of them: 15, 19 and 16 % in three steps of V2-Lite on two cards
   * (bench/results/2026-11-30-choices-and-adapters.md). What it is is not known; without it such
   * layouts would be put first that are not.
   */
  private static final double UNEXPLAINED = 0.17;

  private final ModelShape shape;
  private final Job job;
  private final EngineTraits engine;
  private final Card card;
  private final LinkRates links;
  private final Layout layout;
  private final Spans spans;
  private final ProductRates rates;
  private final double tokens;
  private final double imbalance;

  MicroBatchTime(
      ModelShape shape, Job job, EngineTraits engine, LinkRates links, Layout layout, Spans spans) {
    this.shape = shape;
    this.job = job;
    this.engine = engine;
    this.card = links.machine().card();
    this.links = links;
    this.layout = layout;
    this.spans = spans;
    this.rates = new ProductRates(links.machine(), layout.precision());
    this.tokens = (double) layout.microBatch() * job.sequenceLength() / layout.context();
    this.imbalance = layout.expert() > 1 ? job.imbalance() : 1;
  }

  /**
   * The seconds of a stage.
   *
   * @param computing what its parts take without any exchange, where that is known; null to take it
   *     from closed forms
   */
  Seconds of(Stage stage, @Nullable Seconds computing) {
    Seconds closed = new Seconds();
    Seconds seconds = new Seconds();
    double launches = 0;
    if (stage.dense() > 0) {
      launches += layers(closed, seconds, shape.dense(), stage.dense());
    }
    if (stage.mixture() > 0) {
      launches += layers(closed, seconds, shape.mixture(), stage.mixture());
    }
    if (stage.mtp() > 0) {
      launches +=
          layers(
              closed, seconds, stage.mtpMixture() ? shape.mixture() : shape.dense(), stage.mtp());
      closed.add(Cause.GEMM, stage.mtp() * product(shape.mtpProjection()), basis());
    }
    // What the embedding's parts give is summed, and what the head reads is gathered.
    int ends = (stage.first() ? 1 : 0) + stage.heads();
    rowsOfTensorRanks(seconds, ends, ends);
    if (stage.last()) {
      launches += stage.heads() * ElementwiseBytes.lossKernels(shape, layout, tokens);
      closed.add(Cause.GEMM, stage.heads() * trainingPasses() * rowsOf(shape.head()), basis());
      memory(closed, stage.heads() * tokens * ElementwiseBytes.lossPerToken(shape, layout));
    }
    seconds.add(computing == null ? closed : computing, 1);
    // Those whose copies go straight to each expert were not measured so.
    if (stage.mixture() > 0
        && layout.expert() > 1
        && layout.tensor() * layout.context() > 1
        && !engine.copiesForExperts()) {
      seconds.add(Cause.OTHER, UNEXPLAINED * seconds.total(), Basis.MEASURED);
    }
    double device = seconds.total();
    seconds.add(
        Cause.LAUNCH, Math.max(0, launches * engine.launchSeconds() - device), Basis.MEASURED);
    if (layout.pipeline() > 1) {
      double bytes = activationBytes() / layout.tensor();
      int sides = (stage.first() ? 0 : 1) + (stage.last() ? 0 : 1);
      seconds.add(Cause.PIPELINE_BUBBLE, links.sendSeconds(spans.pipeline(), bytes).times(sides));
    }
    return seconds;
  }

  private Basis basis() {
    return rates.areMeasured() ? Basis.MEASURED : card.achievable().basis();
  }

  private double activationBytes() {
    return tokens * shape.hidden() * Math.min(2, layout.precision().bytes());
  }

  /**
   * Adds so many layers and returns how many kernels they launch.
   *
   * @param closed to which computing is added
   * @param seconds to which exchanges are
   */
  private double layers(Seconds closed, Seconds seconds, LayerShape layer, int count) {
    double gemm = 0;
    for (Product product : layer.products()) {
      gemm += product(product);
    }
    double routed = tokens / layout.tensor() * layer.expertsPerToken() * imbalance;
    double localExperts = Math.max(1.0, (double) layer.experts() / layout.expert());
    for (Product product : layer.expertProducts()) {
      gemm +=
          passes()
              * rates.groupedSeconds(
                  routed, routed / localExperts, product.inner(1), product.outer(1));
    }
    closed.add(Cause.GEMM, count * gemm, basis());
    double flops = tokens * shape.attention().flops(job.sequenceLength() / 2.0) / layout.tensor();
    double again = layout.recompute() == Recompute.FULL ? 2 : 1;
    double attention = again * rates.attentionForward(flops) + rates.attentionBackward(flops);
    closed.add(Cause.ATTENTION, count * attention, card.achievable().basis());
    memory(closed, count * tokens * ElementwiseBytes.perToken(shape, layer, layout, imbalance));
    memory(closed, count * passes() * dequantizedBytes(layer));
    tensor(seconds, count);
    if (layer.experts() > 0) {
      expert(seconds, count);
    }
    context(seconds, count, attention);
    return count * ElementwiseBytes.kernels(layer, layout);
  }

  /** What is read and written to have a layer's weights in 16 bits, where they are kept in 4. */
  private double dequantizedBytes(LayerShape layer) {
    if (layout.method() != Method.QLORA) {
      return 0;
    }
    double weights =
        layer.denseParameters(layout.tensor())
            + (double) layer.expertParameters() / Math.max(1, layout.expert());
    return weights
        * (StateBytes.of(layout, shape.config(), engine).frozen()
            + Math.min(2, layout.precision().bytes()));
  }

  /** Forward, input gradients and weight gradients; frozen weights need none of the last. */
  private double passes() {
    return trainingPasses() + (layout.recompute() == Recompute.FULL ? 1 : 0);
  }

  private int trainingPasses() {
    return layout.method().isAdapter() ? 2 : 3;
  }

  private double product(Product product) {
    return passes() * rowsOf(product);
  }

  private double rowsOf(Product product) {
    double rows = product.cut() == Product.Cut.NONE ? tokens / layout.tensor() : tokens;
    return rates.seconds(rows, product.inner(layout.tensor()), product.outer(layout.tensor()));
  }

  private void memory(Seconds seconds, double bytes) {
    double rate =
        links
            .machine()
            .profile()
            .flatMap(profile -> profile.stream(StreamSample.COPY))
            .map(StreamSample::bytesPerSecond)
            .orElse(card.memoryGbs() * 1e9 * card.achievable().memory());
    seconds.add(
        Cause.MEMORY_BOUND,
        engine.elementwiseFactor() * bytes / rate,
        links.machine().profile().isPresent() ? Basis.MEASURED : card.achievable().basis());
  }

  /**
   * With sequence parallelism: before the two products whose outputs are cut rows are gathered,
   * after the two whose inputs are cut they are summed, and the other way round backward. What was
   * gathered is gathered once more for the products' weight gradients where it is not kept.
   */
  private void tensor(Seconds seconds, int count) {
    boolean kept = engine.keepsGathered() && layout.recompute() == Recompute.NONE;
    boolean wholeAgain = layout.recompute() == Recompute.FULL;
    int gathers = kept || (engine.keepsGathered() && wholeAgain) ? 4 : 6;
    // The last product of a block is not computed again by an engine that knows of it.
    int summedAgain = !wholeAgain ? 0 : engine.keepsGathered() ? 1 : 2;
    rowsOfTensorRanks(seconds, count * (gathers + (wholeAgain ? 2 : 0)), count * (4 + summedAgain));
  }

  /** Exchanges of a micro-batch's rows between tensor ranks. */
  private void rowsOfTensorRanks(Seconds seconds, int gathers, int sums) {
    if (layout.tensor() == 1) {
      return;
    }
    Figure gather =
        links.seconds(Collective.ALL_GATHER, layout.tensor(), spans.tensor(), activationBytes());
    Figure sum =
        links.seconds(
            Collective.REDUCE_SCATTER, layout.tensor(), spans.tensor(), activationBytes());
    seconds.add(Cause.TENSOR, gather.times(gathers));
    seconds.add(Cause.TENSOR, sum.times(sums));
  }

  /** Dispatch and combine, forward and backward, as the engine moves rows. */
  private void expert(Seconds seconds, int count) {
    int ranks = layout.expert();
    if (ranks == 1) {
      return;
    }
    double rows = activationBytes() / layout.tensor();
    boolean full = layout.recompute() == Recompute.FULL;
    RoutedExperts experts = shape.routed();
    if (engine.copiesForExperts()) {
      double sent = rows * experts.perToken() * imbalance;
      exchange(seconds, Collective.ALL_TO_ALL, sent, count * (full ? 6 : 4));
      return;
    }
    // Out and back, and backward their gradients; what came is not kept where anything is not.
    int out = layout.recompute() == Recompute.NONE ? 2 : 3;
    int back = 2;
    if (job.dispatcher().resolved(experts, ranks) == Dispatcher.ALL_GATHER) {
      exchange(seconds, Collective.ALL_GATHER, rows * ranks, WAITING * count * out);
      exchange(seconds, Collective.REDUCE_SCATTER, rows * ranks, WAITING * count * back);
      // The choices and their weights, which a block that is computed again asks for again.
      double numbers = tokens / layout.tensor() * experts.perToken() * ranks;
      exchange(seconds, Collective.ALL_GATHER, Long.BYTES * numbers, count * (full ? 2 : 1));
      exchange(seconds, Collective.ALL_GATHER, Float.BYTES * numbers, count * (full ? 2 : 1));
      exchange(seconds, Collective.REDUCE_SCATTER, Float.BYTES * numbers, count);
    } else {
      double sent = rows * ranks * job.dispatcher().sent(experts, ranks) * imbalance;
      exchange(seconds, Collective.ALL_TO_ALL, sent, count * (out + back));
    }
  }

  private void exchange(Seconds seconds, Collective collective, double bytes, double times) {
    Figure once = links.seconds(collective, layout.expert(), spans.expert(), bytes);
    seconds.add(Cause.EXPERT, once.times(times));
  }

  /**
   * A ring of keys and values, once forward and twice backward, beside attention.
   *
   * @param attention seconds of a layer's
   */
  private void context(Seconds seconds, int count, double attention) {
    if (layout.context() == 1) {
      return;
    }
    double width = (double) shape.attention().exchangedWidth();
    double bytes = tokens * layout.context() * width * Math.min(2, layout.precision().bytes());
    Figure ring =
        links
            .seconds(
                Collective.ALL_GATHER,
                layout.context(),
                spans.context(),
                shape.attention().latentWidth() > 0 ? bytes : bytes / layout.tensor())
            .times(3);
    double hidden = Math.min(engine.ringOverlap() * ring.value(), attention);
    double shown = ring.value() - (1 - engine.hiddenCost()) * hidden;
    seconds.add(Cause.CONTEXT, count * shown, ring.basis());
  }
}
