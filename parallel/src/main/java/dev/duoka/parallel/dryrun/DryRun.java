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
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.ThreadLedger;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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
   * @param host bytes of host memory
   */
  public record Peak(Map<MemoryOwner, Long> byOwner, long host) {}

  /** As {@link #replayedPeak}, with host memory. */
  public static Peak replayed(DryRunJob job) {
    if (growsEvenly(job)) {
      return new Peak(replayedPeak(job), 0); // what is kept in host memory does not grow evenly
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
    Optional<LayerCounts> layers = LayerCounts.of(job.settings().model());
    if (layers.isEmpty() || !growsEvenly(job)) {
      return unrolled(shorter).peakByOwner();
    }
    LayerCounts all = layers.get();
    int dense = Math.min(all.dense(), DISTINCT);
    int mixture = Math.min(all.mixture(), DISTINCT);
    Map<String, Map<MemoryOwner, Long>> base = phases(shorter, new LayerCounts(dense, mixture));
    Map<String, Map<MemoryOwner, Long>> moreDense =
        all.dense() > dense ? phases(shorter, new LayerCounts(dense + 1, mixture)) : base;
    Map<String, Map<MemoryOwner, Long>> moreMixtures =
        all.mixture() > mixture ? phases(shorter, new LayerCounts(dense, mixture + 1)) : base;
    Map<MemoryOwner, Long> largest = Map.of();
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
      largest = PhasePeaks.larger(largest, bytes);
    }
    return largest;
  }

  /**
   * Whether each further layer adds the same to every part of a step: not where stages of a
   * pipeline have some of them, nor where layers take turns in the same buffers (ZeRO 2 and 3,
   * states in host memory), nor where an adapter, what is frozen or other rates tell them apart.
   */
  private static boolean growsEvenly(DryRunJob job) {
    ModelConfig model = job.settings().model();
    AdapterConfig adapter = model.adapter();
    return job.mesh().pipeline() == 1
        && (adapter == null || !adapter.mayTellLayersApart())
        && !model.frozen().mayTellLayersApart()
        && !job.settings().updates().mayTellLayersApart()
        && job.settings().zeroStage() < 2
        && !job.settings().states().onHost();
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
    StepSettings settings = job.settings();
    int length = settings.sequenceLength();
    long[] tokens = new long[job.microBatch() * length];
    MicroBatch plain = MicroBatch.of(job.microBatch(), length, tokens, tokens);
    MicroBatch one =
        job.settings().preference() == null ? plain : plain.ofPairs(new double[job.microBatch()]);
    List<MicroBatch> all = Collections.nCopies(job.accumulation(), one);
    long targets = (long) tokens.length * job.accumulation() * job.dataRanks();
    return new StepBatch(all, targets, DataState.START, DataState.START);
  }
}
