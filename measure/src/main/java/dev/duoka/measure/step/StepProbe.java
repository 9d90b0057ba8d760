package dev.duoka.measure.step;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.ExposedTime;
import dev.duoka.engine.precision.PrecisionPolicy;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelFlops;
import dev.duoka.formats.prediction.PredictedStep;
import dev.duoka.measure.kernel.DeviceRates;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.parallel.step.TrainingStep;
import dev.duoka.tensor.Determinism;
import dev.duoka.tensor.Device;
import dev.duoka.train.config.BatchPlan;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.device.PlacedRanks;
import dev.duoka.train.device.Transport;
import dev.duoka.train.run.StepForecast;
import dev.duoka.train.step.RankBuilder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Predicts the steps of a run on the CPU from a few of its own, on random tokens, with one forward
 * pass where the run has several. It takes about a second, and is left out where it would take
 * longer.
 */
public final class StepProbe implements StepForecast {
  private static final double SECONDS = 2;
  private static final int MOST_STEPS = 12;
  private static final int WARM_UP = 2;
  private static final double NANO = 1e-9;

  /** What a core is sure to reach, to say beforehand whether a probe is short. */
  private static final double FLOPS_PER_CORE = 4e9;

  private static final double LONGEST_PASS = 4;

  /** How much faster steps may still become while the JVM compiles what they call. */
  private static final double WARMER = 0.7;

  /** How much slower than the slowest of the probe steps of a longer run are now and then. */
  private static final double SLOWER = 1.05;

  private record Timed(
      List<TrainingStep.Result> results, Map<String, Double> exposed, double floor) {
    Timed with(double newFloor) {
      return new Timed(results, exposed, newFloor);
    }
  }

  @Override
  public Answer of(Question question) {
    RunConfig config = question.config();
    if (question.placement().isOnGpus()) {
      return none("a probe is for the CPU");
    }
    if (question.processes() > 1) {
      return none("ranks of several processes are not probed");
    }
    BatchPlan batch = BatchPlan.of(config);
    Mesh mesh = Mesh.of(config.layout());
    int passes = mesh.pipeline() > 1 ? batch.accumulationSteps() : 1;
    double tokens =
        (double) passes * batch.microBatch() * config.data().sequenceLength() * mesh.data();
    double flops = tokens * ModelFlops.perToken(question.model(), config.data().sequenceLength());
    int cores = Runtime.getRuntime().availableProcessors();
    double longest = flops / (FLOPS_PER_CORE * cores);
    if (longest > LONGEST_PASS) {
      return none(String.format(Locale.ROOT, "one pass of a probe may take %.0f s", longest));
    }
    PlacedRanks ranks =
        new PlacedRanks(
            question.placement(),
            config.threadsPerRank(cores),
            Transport.of(
                config.parallel().collectives(), question.placement().devices(), mesh.size()),
            (_, _) -> ExchangeLedger.NONE);
    StepSettings settings = new RankBuilder(config, question.model(), null).settings();
    AtomicReference<@Nullable Timed> first = new AtomicReference<>();
    ranks.run(
        (world, device) -> {
          Determinism.require(config.training().deterministic());
          RandomBatches batches =
              new RandomBatches(
                  batch.microBatch(),
                  passes,
                  config.data().sequenceLength(),
                  question.model().vocabSize(),
                  mesh.dataRank(world.rank()),
                  mesh.data(),
                  settings.preference() != null);
          Timed timed = timed(world, device, mesh, settings, batches);
          if (world.rank() == 0) {
            first.set(timed.with(floor(config, question.model(), device)));
          }
        });
    return new Answer(
        Optional.of(step(Objects.requireNonNull(first.get()), batch.accumulationSteps() / passes)),
        "",
        Map.of());
  }

  private static Answer none(String why) {
    return new Answer(Optional.empty(), why, Map.of());
  }

  private static Timed timed(
      Communicator world, Device device, Mesh mesh, StepSettings settings, RandomBatches batches) {
    try (ExposedTime exposed = new ExposedTime(device);
        TrainingRank rank =
            TrainingRank.allocate(
                mesh, world.size() == 1 ? world : exposed.over(world), device, settings)) {
      rank.optimizer().fill(own -> WeightInitializer.initialize(rank.model(), 1, own));
      List<TrainingStep.Result> results = new ArrayList<>();
      long start = System.nanoTime();
      boolean over = false;
      while (!over) {
        rank.step().markStart();
        results.add(rank.step().run(batches.of(results.size()), 0));
        boolean late = (System.nanoTime() - start) * NANO > SECONDS && results.size() > WARM_UP;
        over = results.size() == MOST_STEPS || world.agreement().any(late);
      }
      if (world.size() == 1) {
        return new Timed(results, Map.of(), Double.NaN);
      }
      exposed.start();
      TrainingStep.PendingStep last = rank.step().launch(batches.of(results.size()), 0);
      ExposedTime.Recording recording = exposed.stop();
      last.await();
      return new Timed(results, recording.seconds(), Double.NaN);
    }
  }

  /** The least time of a step, the mean of the stages; the other ranks must be idle. */
  private static double floor(RunConfig config, ModelConfig model, Device device) {
    DeviceRates rates =
        DeviceRates.calibrate(
            device, new PrecisionPolicy(config.training().precision()).computeDtype());
    return new RankBuilder(config, model, null)
        .plan(0).ofStages().stream()
            .mapToDouble(stage -> floor(stage, rates))
            .average()
            .orElse(Double.NaN);
  }

  /** Of many micro-batches each further one takes as long. */
  private static double floor(DryRunJob stage, DeviceRates rates) {
    int few = stage.mesh().pipeline();
    if (stage.accumulation() <= 2 * few) {
      return StepFloor.of(stage).secondsAtLargeRates(rates);
    }
    double one = floor(with(stage, few), rates);
    double two = floor(with(stage, 2 * few), rates);
    return one + (two - one) * (stage.accumulation() - few) / few;
  }

  private static DryRunJob with(DryRunJob stage, int accumulation) {
    return new DryRunJob(
        stage.settings(), stage.mesh(), stage.rank(), stage.microBatch(), accumulation);
  }

  /**
   * The fastest of the later half of the steps, which are the warmer ones: whatever else the
   * machine does only makes them slower.
   */
  private static PredictedStep step(Timed timed, int passes) {
    List<TrainingStep.Result> warm =
        timed.results().stream()
            .skip(Math.max(1, timed.results().size() / 2))
            .sorted(Comparator.comparingDouble(TrainingStep.Result::seconds))
            .toList();
    TrainingStep.Result fastest = warm.getFirst();
    Map<String, Double> causes = new HashMap<>();
    causes.put("forward", passes * fastest.forwardSeconds());
    causes.put("backward", passes * fastest.backwardSeconds());
    causes.put("optimizer", fastest.optimizerSeconds());
    Map<String, Double> exposed = new HashMap<>(timed.exposed());
    exposed.replaceAll((_, seconds) -> passes * seconds);
    double seconds = causes.values().stream().mapToDouble(Double::doubleValue).sum();
    double more = seconds / fastest.seconds();
    return new PredictedStep(
        seconds,
        WARMER * seconds,
        SLOWER * more * warm.getLast().seconds(),
        timed.floor(),
        causes,
        exposed,
        "a probe of " + timed.results().size() + " steps on this CPU");
  }
}
