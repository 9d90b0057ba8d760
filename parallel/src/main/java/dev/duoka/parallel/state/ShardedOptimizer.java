package dev.duoka.parallel.state;

import dev.duoka.base.Resources;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.Pending;
import dev.duoka.comm.Purpose;
import dev.duoka.comm.SingleRank;
import dev.duoka.engine.autograd.Work;
import dev.duoka.engine.optimizer.AdamW;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.optimizer.GradientSquares;
import dev.duoka.engine.parameter.Bucket;
import dev.duoka.engine.parameter.HeldRange;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.ParameterStore;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.parallel.plan.StateSettings;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.SquaresKernel;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.DeferredRead;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.HostTransfer;
import dev.duoka.tensor.op.Tensors;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The optimizer of one rank: sums the gradients over the ranks, computes the global norm, clips by
 * it, updates this rank's slices and publishes the weights. The states are those of ZeRO stage 0
 * (every rank keeps all), 1 (every rank keeps a shard of each bucket's states and updates only
 * that), 2 (gradients too) or 3 (and weights; Rajbhandari et al., arXiv:1910.02054). Frozen weights
 * have neither gradients nor states; at stage 3 their values are shared, too.
 *
 * <p>Owns the slices with their states. One thread.
 */
public final class ShardedOptimizer implements AutoCloseable {
  private final ParameterStore store;
  private final GradientGroups groups;
  private final AdamWSettings settings;
  private final List<StateSlice> slices = new ArrayList<>();
  private final List<FrozenSlice> frozen = new ArrayList<>();
  private final @Nullable HostWorker worker;
  private final @Nullable StatePassage passage;
  private final GradientReducer reducer;
  private final @Nullable WeightGatherer gatherer;
  private final GradientSquares squares;
  private final DeferredRead[] normReads = new DeferredRead[2];
  private final Resources owned;
  private HostTransfer.Mark copied = HostTransfer.Mark.NONE;
  private long steps;

  /** Steps before the update that was launched last. */
  private long stepsBefore;

  /** Whether the update that was launched last has begun to write weights and moments. */
  private boolean writes;

  /** As the other constructor, where all weights are summed over the same ranks. */
  public ShardedOptimizer(
      ParameterStore store, Communicator group, AdamWSettings settings, int zeroStage) {
    this(
        store,
        GradientGroups.of(group, store.parameters().stream().map(Parameter::name).toList()),
        settings,
        zeroStage,
        StateSettings.FULL);
  }

  /**
   * Allocates the states, and the master weights from the store's present values where the store is
   * not fp32.
   *
   * @param groups over which ranks gradients are summed
   * @param zeroStage 0 for all states on every rank; from 1 on each has a shard. Whether it has all
   *     gradients (2) and weights (3) is the store's {@link dev.duoka.engine.parameter.Residency}
   * @param states in which form and where they are kept
   */
  public ShardedOptimizer(
      ParameterStore store,
      GradientGroups groups,
      AdamWSettings settings,
      int zeroStage,
      StateSettings states) {
    this(store, groups, settings, zeroStage, states, StatePassage.piece(states.fraction()));
  }

  /**
   * As the other one.
   *
   * @param piece weights whose states pass through the device together; a multiple of 128
   */
  ShardedOptimizer(
      ParameterStore store,
      GradientGroups groups,
      AdamWSettings settings,
      int zeroStage,
      StateSettings states,
      long piece) {
    this.store = store;
    this.groups = groups;
    this.settings = settings;
    try (Resources made = new Resources()) {
      worker = states.updatesOnHost() ? made.own(new HostWorker(store.device())) : null;
      passage =
          states.passThroughDevice() ? made.own(new StatePassage(store.device(), piece)) : null;
      PassingBuckets away = new PassingBuckets(store.trainableBuckets(), states.fraction());
      for (Bucket bucket : store.trainableBuckets()) {
        StateSlice.Sharing sharing =
            zeroStage > 0
                ? new StateSlice.Sharing(
                    groups.shards().apply(bucket), groups.replicas(), true, zeroStage > 2)
                : new StateSlice.Sharing(
                    groups.of().apply(bucket), new SingleRank("replicas"), false, false);
        AdamWSettings its = settings.timesDecay(bucket.key().factors().decay());
        StatePassage way = away.contain(bucket) ? passage : null;
        slices.add(made.own(new StateSlice(bucket, sharing, its, states, worker, way)));
      }
      if (passage != null) {
        List<AdamW> theirs = passing().map(StateSlice::unread).toList();
        passage.makeRoom(theirs, StatePassage.buffers(states.fraction()));
        slices.forEach(StateSlice::adoptValues);
      }
      squares = made.own(squares());
      if (worker != null) {
        for (int i = 0; i < slices.size(); i++) {
          squareOnHost(i);
        }
      }
      for (int i = 0; i < normReads.length; i++) {
        normReads[i] = made.own(new DeferredRead(store.device(), Dtype.FLOAT64, 1));
      }
      reducer = made.own(new GradientReducer(store, slices, groups, worker));
      List<ValueShard> elsewhere = new ArrayList<>();
      for (Bucket bucket : store.buckets()) {
        if (!bucket.key().trainable()) {
          boolean here = bucket.hasValues();
          FrozenSlice slice = made.own(FrozenSlice.of(bucket, groups));
          frozen.add(slice);
          if (!here) {
            elsewhere.add(slice);
          }
        }
      }
      slices.stream().filter(slice -> !slice.holdsWholeValues()).forEach(elsewhere::add);
      gatherer = elsewhere.isEmpty() ? null : made.own(new WeightGatherer(store, elsewhere));
      owned = made.release();
    }
  }

  /**
   * Weights whose states are on the device at once where they pass through it, at most.
   *
   * @param fraction of the weights whose states pass
   */
  public static long passingAtOnce(double fraction) {
    return StatePassage.buffers(fraction) * StatePassage.piece(fraction);
  }

  /**
   * Weights whose updates are launched before they are asked for, where states pass through.
   *
   * @param fraction of the weights whose states pass
   */
  public static long launchedAhead(double fraction) {
    return StatePassage.AHEAD * StatePassage.piece(fraction);
  }

  /** What sums the gradients; may be told of gradients as they become complete. */
  public GradientReducer reducer() {
    return reducer;
  }

  /** As {@link #launch}, and waits for its end. Collective. */
  public StepOutcome step(double learningRate, double lossScale) {
    return launch(learningRate, lossScale).await();
  }

  /**
   * Reduces what is not reduced yet, unscales and clips the gradients, and updates the weights.
   * Collective. On CUDA it launches all of that and waits for none of it; elsewhere the step has
   * ended when this returns. Of states that pass through the device the updates stand in line, and
   * follow as their weights are asked for.
   *
   * <p>Gradients that are not finite leave weights and moments as they were, whenever that is
   * noticed.
   *
   * @param lossScale what the loss was multiplied by
   */
  public PendingOutcome launch(double learningRate, double lossScale) {
    return launch(learningRate, lossScale, false);
  }

  /**
   * As {@link #launch(double, double)}; may measure the gradients too, on all ranks or none.
   *
   * @param measures whether the outcome is to tell the gradients' ranges
   */
  public PendingOutcome launch(double learningRate, double lossScale, boolean measures) {
    copied.holdBack();
    slices.forEach(StateSlice::joinGathered); // of what no forward pass has asked for
    writes = false;
    stepsBefore = steps;
    reducer.finish();
    reducer.begin();
    // A stage of a pipeline may hold nothing that is trained; there is little to launch then.
    boolean fused = worker == null && !slices.isEmpty();
    if (fused && slices.stream().allMatch(slice -> slice.unread().runsFused())) {
      return launchFused(learningRate, lossScale, measures);
    }
    StepOutcome outcome = composedStep(learningRate, lossScale, measures);
    return () -> outcome;
  }

  /**
   * Says that copies of the states are on their way to the host: the next update waits for them on
   * the device, and {@link #close} here.
   */
  public void updateAfter(HostTransfer.Mark copied) {
    this.copied = copied;
  }

  /**
   * Forgets gradients and an update that has failed before it wrote anything.
   *
   * @param updating whether an update of this step was launched
   * @return whether that could be done; not where gradients are on their way to host memory
   */
  public boolean takeBack(boolean updating) {
    boolean lost = passage != null && passage.hasFailed();
    if (worker != null || lost || (updating && writes)) {
      return false;
    }
    if (updating) {
      steps = stepsBefore;
    }
    reducer.takeBack();
    if (gatherer != null) {
      gatherer.invalidate();
    }
    // What some ranks of a group have gathered since the last update, and others not, all gather.
    slices.stream().filter(StateSlice::gathersWhenAsked).forEach(StateSlice::expectValues);
    return true;
  }

  private StepOutcome composedStep(double learningRate, double lossScale, boolean measures) {
    double norm;
    List<ParameterRange> ranges = List.of();
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor squaresOfAll = squaresOfAllRanks();
      norm = Math.sqrt(sum(squaresOfAll)) / lossScale;
      if (measures) {
        try (RangeReading reading = read(squaresOfAll)) {
          ranges = reading.await(lossScale);
        }
      }
    }
    if (!Double.isFinite(norm)) {
      return new StepOutcome(norm, false, ranges);
    }
    double factor = 1 / lossScale;
    if (settings.clipNorm() > 0) {
      // As torch.nn.utils.clip_grad_norm_: the small constant is part of the definition.
      factor *= Math.min(1, settings.clipNorm() / (norm + 1e-6));
    }
    steps++;
    writes = true;
    HostTransfer.Mark after = worker == null ? HostTransfer.Mark.NONE : worker.markUse();
    for (StateSlice slice : slices) {
      slice.update(update(slice, learningRate, lossScale), factor, after);
    }
    gatherValues();
    return new StepOutcome(norm, true, ranges);
  }

  private AdamW.Update update(StateSlice slice, double learningRate, double lossScale) {
    double factor = slice.bucket().key().factors().rate();
    return new AdamW.Update(learningRate * factor, steps, 1 / lossScale);
  }

  private RangeReading read(Tensor squaresOfAll) {
    Tensor extremes =
        slices.isEmpty()
            ? GradientSquares.noExtremes(store.device(), groups.names().size())
            : squares.extremes(slices.stream().map(StateSlice::gradients).toList());
    if (!extremes.device().equals(store.device())) {
      extremes = Copies.to(extremes, store.device());
    }
    return new RangeReading(groups.names(), groups.world(), squaresOfAll, extremes);
  }

  private Stream<StateSlice> passing() {
    return slices.stream().filter(StateSlice::passes);
  }

  private PendingOutcome launchFused(double learningRate, double lossScale, boolean measures) {
    steps++;
    DeferredRead read = normReads[(int) (steps % normReads.length)];
    RangeReading reading;
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor squaresOfAll = squaresOfAllRanks();
      Tensor squaredNorm = SquaresKernel.inOrder(squaresOfAll);
      reading = measures ? read(squaresOfAll) : null;
      // Updates beside this stream read it when the tensor may be used again.
      Tensor kept = passage == null ? squaredNorm : passage.keep(squaredNorm);
      writes = true;
      // What has a way to go first; meanwhile the others are updated.
      Stream.concat(passing(), slices.stream().filter(slice -> !slice.passes()))
          .forEach(slice -> slice.launch(update(slice, learningRate, lossScale), kept));
      gatherValues();
      read.start(squaredNorm);
    }
    return () -> {
      double norm = Math.sqrt(read.await()[0]) / lossScale;
      boolean applied = Double.isFinite(norm);
      if (!applied) {
        steps--;
      }
      return new StepOutcome(norm, applied, ranges(reading, lossScale));
    };
  }

  private static List<ParameterRange> ranges(@Nullable RangeReading reading, double lossScale) {
    if (reading == null) {
      return List.of();
    }
    try (reading) {
      return reading.await(lossScale);
    }
  }

  /** Their sum on the host, which waits for the device; 0 on {@code meta}. */
  private static double sum(Tensor parts) {
    double sum = 0;
    if (!parts.device().isMeta()) {
      for (double part : HostCopy.doubles(parts)) {
        sum += part;
      }
    }
    return sum;
  }

  /** The squares of each parameter's reduced gradient, over all ranks of the model. */
  private Tensor squaresOfAllRanks() {
    Tensor parts;
    if (slices.isEmpty()) {
      parts = Tensors.zeros(Dtype.FLOAT64, store.device(), groups.names().size());
    } else if (worker == null || store.device().isMeta()) {
      parts = squares.of(slices.stream().map(StateSlice::gradients).toList());
    } else {
      parts = squares.sum(slices.stream().map(slice -> slice.ofHost().squares()).toList());
    }
    if (worker != null && !slices.isEmpty()) {
      parts = Copies.to(parts, store.device());
    }
    if (!hasWholeModel()) {
      try (Purpose _ = Purpose.of("the norm of gradients")) {
        groups.world().allReduce(parts).join();
      }
    }
    return parts;
  }

  private void squareOnHost(int slice) {
    HostStates states = slices.get(slice).ofHost();
    states.squaresBy(() -> squares.ofPieces(slice, states.gradients()));
  }

  /** Whether every rank has all reduced gradients, and so the norm without asking. */
  private boolean hasWholeModel() {
    if (slices.isEmpty()) {
      return groups.world().size() == 1;
    }
    return slices.stream()
        .allMatch(
            slice ->
                !slice.isSharded()
                    && slice.replicas().size() == 1
                    && slice.group().size() == groups.world().size());
  }

  private GradientSquares squares() {
    Map<String, Integer> places = new HashMap<>();
    groups.names().forEach(name -> places.put(name, places.size()));
    boolean wholeModel = hasWholeModel();
    List<List<GradientSquares.Piece>> pieces = new ArrayList<>();
    for (StateSlice slice : slices) {
      List<GradientSquares.Piece> ofSlice = new ArrayList<>();
      if (wholeModel || slice.isCounted()) {
        for (Parameter parameter : slice.bucket().parameters()) {
          addPieces(ofSlice, slice, parameter, places.getOrDefault(parameter.name(), 0));
        }
      }
      pieces.add(ofSlice);
    }
    return new GradientSquares(
        store.dtype(),
        slices.stream().map(StateSlice::gradients).toList(),
        pieces,
        groups.names().size());
  }

  /** What of a parameter lies in a slice and is no copy of what another rank counts. */
  private static void addPieces(
      List<GradientSquares.Piece> pieces, StateSlice slice, Parameter parameter, int place) {
    Portion portion = parameter.spec().portion();
    long elements = parameter.spec().elements();
    if (portion.stretches().stream().allMatch(Portion.Stretch::counted)) {
      addPiece(pieces, slice, parameter.offset(), elements, place);
      return;
    }
    long held = portion.stretches().stream().mapToLong(Portion.Stretch::length).sum();
    for (Portion.Stretch stretch : portion.stretches()) {
      if (stretch.counted()) {
        long unit = elements / held;
        addPiece(
            pieces,
            slice,
            parameter.offset() + stretch.to() * unit,
            stretch.length() * unit,
            place);
      }
    }
  }

  private static void addPiece(
      List<GradientSquares.Piece> pieces, StateSlice slice, long from, long length, int place) {
    long start = Math.max(from, slice.offset());
    long end = Math.min(from + length, slice.offset() + slice.length());
    if (start < end) {
      pieces.add(new GradientSquares.Piece(place, start - slice.offset(), end - start));
    }
  }

  /**
   * Makes the compute weights what their masters are, on every rank: whoever wrote masters calls
   * it. Collective when sharded.
   */
  public void publish() {
    slices.forEach(StateSlice::joinGathered);
    slices.forEach(StateSlice::publish);
    gatherValues();
  }

  private void gatherValues() {
    store.valuesChanged();
    if (gatherer != null) {
      gatherer.invalidate();
    }
    List<Pending> gathered = new ArrayList<>();
    for (StateSlice slice : slices) {
      if (slice.valuesComeLater()) {
        try (Purpose _ = Purpose.of("weights of " + slice.bucket().weights())) {
          slice.expectValues();
        }
      } else if (slice.isSharded() && slice.holdsWholeValues()) {
        try (Purpose _ = Purpose.of("weights of " + slice.bucket().weights())) {
          gathered.add(slice.group().allGather(slice.values(), slice.bucket().values()));
        }
      }
    }
    gathered.forEach(Pending::join);
  }

  /**
   * Runs what writes the model's first weights, then takes them over. Each rank keeps what belongs
   * to it.
   */
  public void fill(Runnable write) {
    if (gatherer == null) {
      write.run();
    } else {
      gatherer.write(write);
    }
    adoptValues();
  }

  /**
   * As the other method, of weights that each rank writes a part of: what it is asked for is what
   * this rank keeps states of, or keeps at all, and the rest comes from the other ranks. More may
   * be written. Collective.
   */
  public void fill(Consumer<Function<Parameter, HeldRange>> write) {
    List<ValueShard> kept = new ArrayList<>(slices);
    kept.addAll(frozen);
    IdentityHashMap<Parameter, HeldRange> ranges = new IdentityHashMap<>();
    for (ValueShard shard : kept) {
      for (Parameter parameter : shard.bucket().parameters()) {
        long start = shard.offset() - parameter.offset();
        // Of weights in 4 bits these are bytes, of which any or none is asked.
        long end = Math.min(parameter.spec().stored(), start + shard.length());
        ranges.put(parameter, new HeldRange(Math.max(0, start), end));
      }
    }
    fill(() -> write.accept(parameter -> ranges.getOrDefault(parameter, HeldRange.ALL)));
    gatherValues();
  }

  /** Takes over weights that were written into the store; the opposite of {@link #publish}. */
  public void adoptValues() {
    slices.forEach(StateSlice::adoptValues);
  }

  /** What this rank updates, by bucket in the order of the store. */
  public List<StateSlice> slices() {
    return List.copyOf(slices);
  }

  /** What this rank keeps of weights that are not trained, likewise. */
  public List<FrozenSlice> frozen() {
    return List.copyOf(frozen);
  }

  /** Whether this rank is the first of those that have the same layers. */
  public boolean isFirstOfStage() {
    return groups.stage().rank() == 0;
  }

  /** Whether each rank keeps only a part. */
  public boolean isSharded() {
    return slices.stream().anyMatch(StateSlice::isSharded);
  }

  /** The least work of one update ({@link AdamW#work}). */
  public Work work() {
    double flops = 0;
    double bytes = 0;
    for (StateSlice slice : slices) {
      Work work = slice.unread().work();
      flops += work.flops();
      bytes += work.bytes();
    }
    return new Work(flops, bytes);
  }

  /** How many updates were made. */
  public long steps() {
    return steps;
  }

  /** Goes on from a checkpoint that was taken after {@code steps} updates. */
  public void restoreSteps(long steps) {
    this.steps = steps;
  }

  @Override
  public void close() {
    try (owned) {
      copied.await(); // nothing that is read may be freed
    }
  }
}
