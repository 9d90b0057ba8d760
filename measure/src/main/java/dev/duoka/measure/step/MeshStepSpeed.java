package dev.duoka.measure.step;

import dev.duoka.base.Median;
import dev.duoka.engine.precision.PrecisionPolicy;
import dev.duoka.measure.kernel.DeviceRates;
import dev.duoka.parallel.dryrun.DryRun;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.train.device.PlacedRanks;
import dev.duoka.train.device.Transport;
import dev.duoka.train.memory.StepMemory;
import java.util.ArrayList;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * How fast a step of the ranks of a mesh is and what memory each takes. On {@code meta} the memory
 * is predicted, and nothing else is known.
 *
 * @param transport what carried the ranks' tensors; empty on {@code meta}
 * @param ranks in their order
 */
public record MeshStepSpeed(MeshStepJob job, Optional<Transport> transport, List<Rank> ranks) {
  /**
   * One rank.
   *
   * @param predicted bytes by owner at the peak, by a dry run
   * @param floorSeconds the least time that its device needs for its own work ({@link StepFloor});
   *     NaN on {@code meta}
   * @param taken what was measured; empty on {@code meta}
   */
  public record Rank(
      int number, Map<String, Long> predicted, double floorSeconds, Optional<RankSteps> taken) {
    /** All bytes of {@link #predicted}. */
    public long predictedBytes() {
      return predicted.values().stream().mapToLong(Long::longValue).sum();
    }

    /** How much more is predicted than taken, in percent; empty on {@code meta}. */
    public OptionalDouble errorPercent() {
      return taken.isEmpty()
          ? OptionalDouble.empty()
          : OptionalDouble.of(100.0 * predictedBytes() / taken.get().result().peakBytes() - 100);
    }
  }

  /**
   * Runs the ranks, then predicts their memory, and measures what the first one's device reaches at
   * best: before, that would count in the time of the first step. Ranks of one pipeline stage have
   * the same prediction and floor.
   *
   * @param warmUp steps that are not counted
   * @param steps steps that are
   */
  public static MeshStepSpeed measure(MeshStepJob job, int warmUp, int steps) {
    if (job.placement().isEmpty()) {
      return new MeshStepSpeed(job, Optional.empty(), ranks(job, Device.META, List.of()));
    }
    PlacedRanks placed = PlacedRanks.of(job.parallel(), job.placement().get());
    List<RankSteps> taken = new MeshStepBenchmark(job, warmUp, steps).run(placed);
    Device first = placed.placement().of(0);
    ComputeThread.prepare(first, placed.threads(), 1);
    return new MeshStepSpeed(job, Optional.of(placed.transport()), ranks(job, first, taken));
  }

  private static List<Rank> ranks(MeshStepJob job, Device device, List<RankSteps> taken) {
    List<DryRunJob> stages = job.of(0).ofStages();
    StepMemory memory =
        new StepMemory(stages.getFirst(), device, 1, List.of(), job.step().deterministic());
    List<Map<String, Long>> predicted = new ArrayList<>();
    List<Double> floors = new ArrayList<>();
    double seconds = Median.of(taken.stream().map(it -> it.result().medianSeconds()).toList());
    for (DryRunJob stage : stages) {
      Map<MemoryOwner, Long> booked =
          device.isMeta() ? DryRun.replayedPeak(stage) : memory.booked(stage);
      predicted.add(OwnerLabels.of(booked));
      floors.add(device.isMeta() ? Double.NaN : floor(job, stage, device, seconds));
    }
    int perStage = job.mesh().size() / stages.size();
    return IntStream.range(0, job.mesh().size())
        .mapToObj(
            rank ->
                new Rank(
                    rank,
                    predicted.get(rank / perStage),
                    floors.get(rank / perStage),
                    taken.isEmpty() ? Optional.empty() : Optional.of(taken.get(rank))))
        .toList();
  }

  private static double floor(MeshStepJob job, DryRunJob stage, Device device, double seconds) {
    DeviceRates rates =
        DeviceRates.calibrate(device, new PrecisionPolicy(job.step().precision()).computeDtype());
    return StepFloor.of(stage).seconds(rates, seconds);
  }

  /** How the tokens were spread over experts; empty on {@code meta} and without experts. */
  public Optional<ExpertLoad> expertLoad() {
    return isMeasured()
        ? ExpertLoad.of(job, measured().stream().map(RankSteps::loads).toList())
        : Optional.empty();
  }

  /** Whether there are times; not on {@code meta}. */
  public boolean isMeasured() {
    return transport.isPresent();
  }

  /** Seconds of each counted step, the mean of its ranks; empty on {@code meta}. */
  public List<Double> seconds() {
    List<StepBenchmark.Result> all = measured().stream().map(RankSteps::result).toList();
    int steps = all.isEmpty() ? 0 : all.getFirst().seconds().size();
    return IntStream.range(0, steps)
        .mapToObj(
            step -> all.stream().mapToDouble(it -> it.seconds().get(step)).average().orElseThrow())
        .toList();
  }

  /** The steps' milliseconds: the fastest and the slowest. */
  public DoubleSummaryStatistics milliseconds() {
    return seconds().stream().collect(Collectors.summarizingDouble(it -> it * 1e3));
  }

  /** The median step; NaN on {@code meta}. */
  public double medianMilliseconds() {
    return Median.of(seconds()) * 1e3;
  }

  /** Of all ranks together, at the median step. */
  public double tokensPerSecond() {
    return job.tokens() / medianMilliseconds() * 1e3;
  }

  /** {@link #tokensPerSecond} by the number of ranks. */
  public double tokensPerSecondOfRank() {
    return tokensPerSecond() / ranks.size();
  }

  /** Model FLOPs utilisation; empty where the devices' peak is unknown. */
  public OptionalDouble mfu() {
    double peak = measured().stream().mapToDouble(it -> it.peak().flopsPerSecond()).sum();
    double flops = tokensPerSecond() * job.step().flopsPerToken();
    return isMeasured() && Double.isFinite(peak)
        ? OptionalDouble.of(flops / peak)
        : OptionalDouble.empty();
  }

  /** The mean of the ranks' floors; NaN on {@code meta}. */
  public double floorMilliseconds() {
    return ranks.stream().mapToDouble(Rank::floorSeconds).average().orElseThrow() * 1e3;
  }

  /** The floor's share in the step's time; empty on {@code meta}. */
  public OptionalDouble rooflineUtilisation() {
    return isMeasured()
        ? OptionalDouble.of(floorMilliseconds() / medianMilliseconds())
        : OptionalDouble.empty();
  }

  /** Milliseconds of a step in which a rank did nothing but exchange, the ranks' mean, by group. */
  public Map<String, Double> exposedMilliseconds() {
    Map<String, Double> mean = new TreeMap<>();
    for (RankSteps rank : measured()) {
      rank.exposedMilliseconds()
          .forEach((group, time) -> mean.merge(group, time / ranks.size(), Double::sum));
    }
    return mean;
  }

  /** GiB of live tensors of the rank with most, predicted on {@code meta}. */
  public double peakGib() {
    return ranks.stream()
            .mapToLong(
                rank ->
                    rank.taken()
                        .map(taken -> taken.result().peakBytes())
                        .orElse(rank.predictedBytes()))
            .max()
            .orElseThrow()
        / (double) (1L << 30);
  }

  /** What was measured of each rank; empty on {@code meta}. */
  public List<RankSteps> measured() {
    return ranks.stream().flatMap(rank -> rank.taken().stream()).toList();
  }
}
