package dev.duoka.measure.profile;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.ExchangeSpan;
import dev.duoka.comm.ExposedTime;
import dev.duoka.engine.precision.PrecisionPolicy;
import dev.duoka.measure.kernel.DeviceRates;
import dev.duoka.measure.step.MeshStepJob;
import dev.duoka.measure.step.RandomBatches;
import dev.duoka.measure.step.StepFloor;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.parallel.step.TrainingStep;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Determinism;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.DeviceClock;
import dev.duoka.train.device.DevicePeak;
import dev.duoka.train.device.PlacedRanks;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The time of the steps of all ranks of a mesh, part by part.
 *
 * @param job the step
 * @param steps how many were seen
 * @param rates what the first rank's device can do at best
 * @param peaks what the ranks' devices reach at best, in the order of the ranks
 * @param ranks in their order
 */
public record ProfiledRanks(
    MeshStepJob job, int steps, DeviceRates rates, List<DevicePeak> peaks, List<Rank> ranks) {
  private static final int WARM_UP = 3;

  /**
   * One rank.
   *
   * @param trace what it did and when
   * @param milliseconds of a step, their mean
   * @param floorMilliseconds the least that its device needs for its own work in a step
   * @param exposedMilliseconds of a step in which it did nothing but exchange, by group
   * @param besideMilliseconds of a step in which an exchange ran on a stream of its own, by group
   * @param lines the parts, the largest lever first; what a part exchanged within itself counts
   */
  public record Rank(
      RankTrace trace,
      double milliseconds,
      double floorMilliseconds,
      Map<String, Double> exposedMilliseconds,
      Map<String, Double> besideMilliseconds,
      List<StepProfile.Line> lines) {
    /** The floor's share in the step. */
    public double rooflineUtilisation() {
      return floorMilliseconds / milliseconds;
    }

    /** Of a step, what no part accounts for. */
    public double restMilliseconds() {
      return StepProfile.rest(milliseconds, lines);
    }

    /** Of a step, all groups together. */
    public double exposed() {
      return exposedMilliseconds.values().stream().mapToDouble(Double::doubleValue).sum();
    }
  }

  private record Seen(RankTrace trace, List<Double> seconds, DevicePeak peak) {}

  /**
   * Runs all ranks as threads, on the job's devices. Moments of different ranks are comparable to
   * within the time that a barrier of their hosts takes.
   *
   * @param steps that count
   */
  public static ProfiledRanks run(MeshStepJob job, int steps) {
    PlacedRanks placed = PlacedRanks.of(job.parallel(), job.placement().orElseThrow());
    Map<Integer, Seen> seen = new ConcurrentSkipListMap<>();
    placed.run((world, device) -> seen.put(world.rank(), run(job, world, device, steps)));
    Device first = placed.placement().of(0);
    ComputeThread.prepare(first, placed.threads(), 1);
    DeviceRates rates =
        DeviceRates.calibrate(first, new PrecisionPolicy(job.step().precision()).computeDtype());
    Map<Integer, StepFloor> floors = new HashMap<>();
    int perStage = job.mesh().size() / job.mesh().pipeline();
    List<DryRunJob> stages = job.of(0).ofStages();
    List<Rank> ranks = new ArrayList<>();
    seen.forEach(
        (rank, it) ->
            ranks.add(
                rank(
                    it,
                    steps,
                    rates,
                    floors.computeIfAbsent(
                        rank / perStage, stage -> StepFloor.of(stages.get(stage))))));
    List<DevicePeak> peaks = seen.values().stream().map(Seen::peak).toList();
    return new ProfiledRanks(job, steps, rates, peaks, List.copyOf(ranks));
  }

  private static Seen run(MeshStepJob job, Communicator world, Device device, int steps) {
    Determinism.require(job.step().deterministic());
    try (ExposedTime exposed = new ExposedTime(device);
        TrainingRank rank =
            TrainingRank.allocate(job.mesh(), exposed.over(world), device, job.settings())) {
      rank.optimizer().fill(own -> WeightInitializer.initialize(rank.model(), 1, own));
      TrainingStep step = rank.step();
      RandomBatches batches = job.batches(world.rank());
      step.markStart();
      for (int i = 0; i < WARM_UP; i++) {
        step.run(batches.of(i), 0);
      }
      List<Double> seconds = new ArrayList<>();
      world.agreement().barrier();
      DeviceClock clock = exposed.startTrace();
      try (StepProfile profile = new StepProfile(clock)) {
        step.observe(profile);
        step.markStart();
        for (int i = 0; i < steps; i++) {
          seconds.add(step.run(batches.of(WARM_UP + i), 0).seconds());
        }
        step.observe(null);
        ExposedTime.Recording recording = exposed.stop();
        RankTrace trace =
            new RankTrace(
                "rank " + world.rank() + " on " + device,
                profile.spans(),
                recording.alone(),
                recording.beside());
        world.agreement().barrier(); // nobody frees what others may still read
        return new Seen(trace, seconds, DevicePeak.of(device, world));
      }
    }
  }

  private static Rank rank(Seen seen, int steps, DeviceRates rates, StepFloor floor) {
    double seconds =
        seen.seconds().stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    List<StepProfile.Line> lines =
        StepProfile.table(seen.trace().parts(), steps, rates, floor); // may lower the floor
    return new Rank(
        seen.trace(),
        1e3 * seconds,
        1e3 * floor.seconds(rates, seconds),
        perStep(seen.trace().alone(), steps),
        perStep(seen.trace().beside(), steps),
        lines);
  }

  private static Map<String, Double> perStep(List<ExchangeSpan> spans, int steps) {
    Map<String, Double> sums = new TreeMap<>();
    spans.forEach(it -> sums.merge(it.group(), (it.endMs() - it.startMs()) / steps, Double::sum));
    return sums;
  }

  /** The rank with the longest steps. */
  public int slowest() {
    int slowest = 0;
    for (int rank = 1; rank < ranks.size(); rank++) {
      if (ranks.get(rank).milliseconds() > ranks.get(slowest).milliseconds()) {
        slowest = rank;
      }
    }
    return slowest;
  }

  /** Tokens per second of all ranks, by the slowest. */
  public double tokensPerSecond() {
    return job.tokens() / ranks.get(slowest()).milliseconds() * 1e3;
  }

  /** Model FLOPs utilisation of all ranks, by the slowest; empty where a peak is unknown. */
  public OptionalDouble mfu() {
    double peak = peaks.stream().mapToDouble(DevicePeak::flopsPerSecond).sum();
    return Double.isFinite(peak)
        ? OptionalDouble.of(tokensPerSecond() * job.step().flopsPerToken() / peak)
        : OptionalDouble.empty();
  }

  /** Adds each rank's numbers and parts to a report. */
  public void describe(ObjectNode report) {
    report.put("step_ms", ranks.get(slowest()).milliseconds());
    report.put("tokens_per_second", tokensPerSecond());
    mfu().ifPresent(mfu -> report.put("mfu", mfu));
    report.put("mfu_against", peaks.getFirst().source());
    rates.describe(report);
    ArrayNode all = report.putArray("by_rank");
    for (Rank rank : ranks) {
      ObjectNode one = all.addObject();
      one.put("name", rank.trace().name());
      one.put("step_ms", rank.milliseconds());
      one.put("floor_ms", rank.floorMilliseconds());
      one.put("roofline_utilisation", rank.rooflineUtilisation());
      ObjectNode exposed = one.putObject("exposed_ms");
      rank.exposedMilliseconds().forEach(exposed::put);
      ObjectNode beside = one.putObject("exchange_beside_ms");
      rank.besideMilliseconds().forEach(beside::put);
      ArrayNode parts = one.putArray("parts");
      rank.lines().forEach(line -> line.describe(parts.addObject()));
      one.put("rest_ms", rank.restMilliseconds());
    }
  }

  /** Writes the trace of all ranks. */
  public void writeTrace(Path file) {
    PerfettoTrace.write(file, ranks.stream().map(Rank::trace).toList(), rates);
  }
}
