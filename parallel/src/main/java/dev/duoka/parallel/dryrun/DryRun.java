package dev.duoka.parallel.dryrun;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.Exchange;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.SingleRank;
import dev.duoka.comm.meta.MetaCommunicator;
import dev.duoka.data.batch.DataState;
import dev.duoka.data.batch.MicroBatch;
import dev.duoka.data.batch.StepBatch;
import dev.duoka.engine.autograd.FunctionObserver;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.parallel.step.Evaluator;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.ThreadLedger;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * Runs the steps of one rank on {@code meta}, with a communicator of the real size: the code of a
 * real step, with shapes alone, and what its ledgers booked.
 */
public final class DryRun {
  /** Layers of a kind that are run where a model has more: the second is like all that follow. */
  private static final int DISTINCT = 2;

  private DryRun() {}

  /** Runs every block and every micro-batch of a steady step. */
  public static DryRunResult unrolled(DryRunJob job) {
    ExchangeLedger.InMemory exchanges = new ExchangeLedger.InMemory();
    try (ThreadLedger mine = ThreadLedger.open(Device.META);
        ThreadLedger host = ThreadLedger.open(Device.META_HOST);
        TrainingRank rank = rank(job, exchanges)) {
      // Twice: the first step also makes what lasts, the experts' load counts for example.
      rank.step().run(batch(job.shortest()), 1e-3);
      mine.ledger().resetPeak();
      int before = exchanges.exchanges().size();
      rank.step().run(batch(job), 1e-3);
      List<Exchange> all = exchanges.exchanges();
      return new DryRunResult(
          mine.ledger().peakByOwner(),
          all.subList(before, all.size()),
          host.ledger().peakByOwner());
    }
  }

  /**
   * What a rank needs at most.
   *
   * @param byOwner bytes of its device
   * @param host bytes of host memory; 0 where they were not counted, since layers were replayed
   */
  public record Peak(Map<MemoryOwner, Long> byOwner, long host) {}

  /** As {@link #replayedPeak}, with host memory. */
  public static Peak replayed(DryRunJob job) {
    if (growsEvenly(job)) {
      return new Peak(replayedPeak(job), 0); // what waits in host memory does not grow evenly
    }
    DryRunResult result = unrolled(job.steady());
    return new Peak(result.peakByOwner(), result.hostBytes());
  }

  /**
   * The peak of {@link #unrolled} to the byte, from models with few layers: each distinct block is
   * run, and the growth that one more of its kind brings to each part of the step is replayed for
   * all others. Takes as long for sixty layers as for six. Stages of a pipeline, and layers that
   * share buffers (ZeRO 2 and 3), are run as they are.
   */
  public static Map<MemoryOwner, Long> replayedPeak(DryRunJob job) {
    DryRunJob shorter = job.steady();
    return growsEvenly(job) && LayerCounts.of(job.settings().model()).isPresent()
        ? largest(replayed(job, layers -> phases(shorter, layers)))
        : unrolled(shorter).peakByOwner();
  }

  /**
   * What a rank needs while its model is evaluated between two steps, at most: with the gradients
   * and states of the step, which stay. Counted from few layers where {@link #replayedPeak} is.
   *
   * @param taken what is taken from its passes; at least one
   */
  public static Map<MemoryOwner, Long> evaluationPeak(DryRunJob job, Set<Evaluated> taken) {
    return growsEvenly(job) && LayerCounts.of(job.settings().model()).isPresent()
        ? largest(
            replayed(
                job, layers -> evaluated(job.of(layers.applyTo(job.settings().model())), taken)))
        : largest(evaluated(job, taken));
  }

  /** The peak of each kind of pass. */
  private static Map<String, Map<MemoryOwner, Long>> evaluated(
      DryRunJob job, Set<Evaluated> taken) {
    Map<String, Map<MemoryOwner, Long>> peaks = new LinkedHashMap<>();
    try (ThreadLedger mine = ThreadLedger.open(Device.META);
        TrainingRank rank = rank(job, ExchangeLedger.NONE)) {
      rank.step().run(batch(job.shortest()), 1e-3);
      Evaluator evaluator = rank.step().evaluator();
      int together = Evaluator.together(job.mesh().pipeline());
      MicroBatch asked = microBatch(job, Evaluator.asked(job.microBatch()), true);
      for (Evaluated each : taken) {
        mine.ledger().resetPeak();
        switch (each) {
          case LOSS -> evaluator.losses(together, () -> trained(job));
          case LOG_PROBABILITIES -> evaluator.logProbabilities(together, () -> asked, false);
          case MOST_LIKELY -> evaluator.mostLikely(asked);
        }
        peaks.put(each.name(), mine.ledger().peakByOwner());
      }
    }
    return peaks;
  }

  private static Map<MemoryOwner, Long> largest(Map<String, Map<MemoryOwner, Long>> phases) {
    Map<MemoryOwner, Long> largest = Map.of();
    for (Map<MemoryOwner, Long> bytes : phases.values()) {
      largest = PhasePeaks.larger(largest, bytes);
    }
    return largest;
  }

  /** The peaks of all layers from those of few and one more of each kind. */
  private static Map<String, Map<MemoryOwner, Long>> replayed(
      DryRunJob job, Function<LayerCounts, Map<String, Map<MemoryOwner, Long>>> run) {
    LayerCounts all = LayerCounts.of(job.settings().model()).orElseThrow();
    int dense = Math.min(all.dense(), DISTINCT);
    int mixture = Math.min(all.mixture(), DISTINCT);
    Map<String, Map<MemoryOwner, Long>> base = run.apply(new LayerCounts(dense, mixture));
    Map<String, Map<MemoryOwner, Long>> moreDense =
        all.dense() > dense ? run.apply(new LayerCounts(dense + 1, mixture)) : base;
    Map<String, Map<MemoryOwner, Long>> moreMixtures =
        all.mixture() > mixture ? run.apply(new LayerCounts(dense, mixture + 1)) : base;
    Map<String, Map<MemoryOwner, Long>> peaks = new LinkedHashMap<>();
    for (String phase : base.keySet()) {
      Map<MemoryOwner, Long> bytes = new EnumMap<>(MemoryOwner.class);
      for (MemoryOwner owner : MemoryOwner.values()) {
        long few = of(base, phase, owner);
        long grown =
            few
                + (all.dense() - dense) * (of(moreDense, phase, owner) - few)
                + (all.mixture() - mixture) * (of(moreMixtures, phase, owner) - few);
        if (grown != 0) {
          bytes.put(owner, grown);
        }
      }
      peaks.put(phase, bytes);
    }
    return peaks;
  }

  /**
   * Whether each further layer adds the same to every part of a step: not where stages of a
   * pipeline have some of them, nor where layers take turns in the same buffers (ZeRO 2 and 3,
   * gradients for the host) or lie in one together, nor where an adapter, what is frozen, other
   * rates or states that some of them have in host memory tell them apart.
   */
  private static boolean growsEvenly(DryRunJob job) {
    ModelConfig model = job.settings().model();
    AdapterConfig adapter = model.adapter();
    return job.mesh().pipeline() == 1
        && (adapter == null || !adapter.mayTellLayersApart())
        && !model.frozen().mayTellLayersApart()
        && !job.settings().updates().mayTellLayersApart()
        && job.settings().zeroStage() < 2
        && job.settings().states().blocksPerBucket() == 1
        && job.settings().states().fraction() == 1
        && !job.settings().states().updatesOnHost();
  }

  private static long of(
      Map<String, Map<MemoryOwner, Long>> phases, String phase, MemoryOwner owner) {
    return phases.getOrDefault(phase, Map.of()).getOrDefault(owner, 0L);
  }

  private static Map<String, Map<MemoryOwner, Long>> phases(DryRunJob job, LayerCounts layers) {
    DryRunJob small = job.of(layers.applyTo(job.settings().model()));
    try (ThreadLedger mine = ThreadLedger.open(Device.META);
        TrainingRank rank = rank(small, ExchangeLedger.NONE)) {
      StepBatch batch = batch(small);
      rank.step().run(batch, 1e-3);
      PhasePeaks peaks = new PhasePeaks(mine.ledger(), layers::kind);
      rank.step().observe(peaks);
      rank.step().run(batch, 1e-3);
      return peaks.peaks();
    }
  }

  /** Runs every block and every micro-batch of a first step, and lets an observer see it. */
  public static void observed(DryRunJob job, FunctionObserver observer) {
    try (TrainingRank rank = rank(job, ExchangeLedger.NONE)) {
      rank.step().observe(observer);
      rank.step().run(batch(job), 1e-3);
    }
  }

  /** What a rank exchanges in a step. */
  static List<Exchange> exchanged(DryRunJob job) {
    ExchangeLedger.InMemory exchanges = new ExchangeLedger.InMemory();
    try (TrainingRank rank = rank(job, exchanges)) {
      int before = exchanges.exchanges().size();
      rank.step().run(batch(job), 1e-3);
      List<Exchange> all = exchanges.exchanges();
      return all.subList(before, all.size());
    }
  }

  private static TrainingRank rank(DryRunJob job, ExchangeLedger exchanges) {
    Communicator world =
        job.mesh().size() == 1
            ? new SingleRank()
            : new MetaCommunicator(job.rank(), job.mesh().size(), exchanges);
    return TrainingRank.allocate(job.mesh(), world, Device.META, job.settings());
  }

  private static StepBatch batch(DryRunJob job) {
    MicroBatch one = trained(job);
    List<MicroBatch> all = Collections.nCopies(job.accumulation(), one);
    long tokens = (long) job.microBatch() * job.settings().sequenceLength();
    long targets = tokens * job.accumulation() * job.dataRanks();
    return new StepBatch(all, targets, DataState.START, DataState.START);
  }

  private static MicroBatch trained(DryRunJob job) {
    return microBatch(job, job.microBatch(), job.settings().preference() != null);
  }

  private static MicroBatch microBatch(DryRunJob job, int sequences, boolean pairs) {
    int length = job.settings().sequenceLength();
    long[] tokens = new long[sequences * length];
    MicroBatch plain = MicroBatch.of(sequences, length, tokens, tokens);
    return pairs ? plain.ofPairs(new double[sequences]) : plain;
  }
}
