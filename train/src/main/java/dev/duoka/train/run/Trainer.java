package dev.duoka.train.run;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.data.batch.BatchStream;
import dev.duoka.data.batch.TrainingOrder;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.shard.TokenisationProgress;
import dev.duoka.data.shard.TokenisationStoppedException;
import dev.duoka.data.training.TrainingData;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Determinism;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.train.checkpoint.Checkpoint;
import dev.duoka.train.checkpoint.CheckpointStore;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.device.DevicePeak;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.device.ProcessMemory;
import dev.duoka.train.step.RankBuilder;
import dev.duoka.train.step.RankState;
import dev.duoka.train.step.StepMetrics;
import java.nio.file.Path;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Runs a training job from its configuration to its result.
 *
 * <p>{@link #run} blocks until the run ends; {@link #stop} may be called from any thread and lets
 * it save and end after the current step, or at once while it is preparing.
 */
public final class Trainer {
  private final RunConfig config;
  private final RunOptions options;
  private final Path runDir;
  private final RunListener listener;
  private final AtomicBoolean stop = new AtomicBoolean();

  /**
   * A run.
   *
   * @param runDir where it writes
   */
  public Trainer(RunConfig config, RunOptions options, Path runDir, RunListener listener) {
    this.config = config;
    this.options = options;
    this.runDir = runDir;
    this.listener = listener;
  }

  /** Asks the run to save and end as soon as it can; returns at once. */
  public void stop() {
    stop.set(true);
  }

  /**
   * Trains. Everything is freed when it returns or throws; what was saved stays. Nothing is written
   * to a run's folder before it is certain that the run can start or go on.
   */
  public RunResult run() {
    RunChecks.Checked checked = RunChecks.require(config);
    DevicePlacement placement = DevicePlacement.choose(config.device(), config.parallel().data());
    try (RunFolder folder = RunFolder.open(runDir, options.resume(), listener::notice)) {
      TrainingData data;
      try {
        data = RunData.open(config, checked.tokenizer(), new Tokenising());
      } catch (TokenisationStoppedException e) {
        return stoppedEarly();
      }
      return new Session(checked, placement, data, folder).run();
    }
  }

  private RunResult stoppedEarly() {
    OptionalLong newest =
        new CheckpointStore(runDir).list().stream().mapToLong(Checkpoint::step).max();
    return new RunResult(
        Double.NaN,
        OptionalDouble.empty(),
        newest.orElse(0),
        0,
        RunResult.Speed.NONE,
        ProcessMemory.peakResidentBytes(),
        runDir,
        RunResult.End.INTERRUPTED,
        newest,
        false,
        "");
  }

  /** The run from when its data is there. */
  private final class Session implements RunEvents {
    private final RunChecks.Checked checked;
    private final DevicePlacement placement;
    private final TrainingData data;
    private final RunFolder folder;
    private final RankBuilder builder;
    private final long totalSteps;
    private final long lastStep;
    private @Nullable MetricsFile metrics;
    private @Nullable RunCheckpoints checkpoints;
    private RankTrainer.@Nullable Outcome outcome;
    private double mfu = Double.NaN;
    private long startNanos;

    Session(
        RunChecks.Checked checked, DevicePlacement placement, TrainingData data, RunFolder folder) {
      this.checked = checked;
      this.placement = placement;
      this.data = data;
      this.folder = folder;
      this.builder = new RankBuilder(config, checked.model(), data.validation());
      this.totalSteps =
          config
              .training()
              .length()
              .steps(config.training().tokensPerStep(), data.trainingTokens());
      this.lastStep = Math.min(totalSteps, options.maxSteps().orElse(totalSteps));
    }

    RunResult run() {
      try (RunCheckpoints saved =
          RunCheckpoints.open(runDir, config, data.identity(), options.resume(), listener)) {
        checkpoints = saved;
        Progress from = saved.progress();
        if (options.resume()) {
          folder.changes(config).forEach(listener::notice);
        }
        if (from.steps() >= lastStep) {
          return result(from, RunResult.End.NOTHING_TO_DO, RunResult.Speed.NONE, saved);
        }
        try {
          LocalRanks.run(config.parallel().data(), ranks -> rank(ranks, saved, from));
        } finally {
          if (metrics != null) {
            metrics.close();
          }
        }
        saved.await();
        double seconds = (System.nanoTime() - startNanos) * 1e-9;
        RankTrainer.Outcome ended = outcome;
        if (ended == null) {
          return result(from, RunResult.End.INTERRUPTED, RunResult.Speed.NONE, saved);
        }
        long taken = ended.progress().steps() - from.steps();
        double overall =
            taken == 0 ? Double.NaN : taken * config.training().tokensPerStep() / seconds;
        return result(
            ended.progress(),
            ended.interrupted() ? RunResult.End.INTERRUPTED : RunResult.End.COMPLETE,
            new RunResult.Speed(ended.tokensPerSecond(), overall, mfu),
            saved);
      }
    }

    private void rank(Communicator collectives, RunCheckpoints saved, Progress from) {
      Device device = placement.of(collectives.rank());
      ComputeThread.prepare(device, threads(), collectives.size());
      Determinism.require(config.training().deterministic());
      if (agreedToStop(collectives)) {
        return;
      }
      try (RankState state = builder.allocate(collectives, device)) {
        if (!saved.restore(state)) {
          builder.firstWeights(state, listener::notice);
        }
        // Every rank has its state: the run can go on. The barrier also lets the ranks of a CPU
        // measure its rate together, as they train.
        if (agreedToStop(collectives)) {
          return;
        }
        boolean first = collectives.rank() == 0;
        if (first) {
          begin(saved, from);
        }
        DevicePeak peak = peak(device);
        RankTrainer.Plan plan = RunDescription.plan(config, checked.model(), data, lastStep, peak);
        try (BatchStream batches =
            BatchStream.open(
                new TrainingOrder(data.training(), RunData.seed(config)),
                builder.share(collectives),
                from.data())) {
          if (first) {
            listener.started(
                new RunDescription(config, checked.model(), data, placement, peak, threads())
                    .text(from.steps(), plan, runDir));
            startNanos = System.nanoTime();
          }
          RankTrainer trainer = new RankTrainer(RankTrainer.Rank.of(state, batches), plan, this);
          RankTrainer.Outcome result = trainer.run(from);
          if (first) {
            outcome = result;
            mfu = trainer.mfu(result.tokensPerSecond());
          }
        }
      }
    }

    /** From here on the folder is written to. */
    private void begin(RunCheckpoints saved, Progress from) {
      folder.begin(config);
      saved.begin();
      metrics = MetricsFile.open(runDir, from.steps(), listener::notice);
      if (options.resume()) {
        listener.notice("resuming after step " + from.steps());
      }
    }

    private boolean agreedToStop(Communicator collectives) {
      double[] requests = {stop.get() ? 1 : 0};
      collectives.agreement().sum(requests);
      return requests[0] > 0;
    }

    private int threads() {
      return config.threadsPerRank(Runtime.getRuntime().availableProcessors());
    }

    private DevicePeak peak(Device device) {
      return device.isCuda()
          ? DevicePeak.ofGpu(placement.names().get(device.index()))
          : DevicePeak.ofCpu();
    }

    private RunResult result(
        Progress progress, RunResult.End end, RunResult.Speed speed, RunCheckpoints saved) {
      return new RunResult(
          progress.loss(),
          progress.validationLoss(),
          progress.steps(),
          lastStep,
          speed,
          peakMemory(),
          runDir,
          end,
          saved.lastOnDisk(),
          saved.lastSaveFailed(),
          config.generateSample().map(sample -> sample.prompt()).orElseGet(data::prompt));
    }

    private long peakMemory() {
      long largest = 0;
      for (Device device : placement.devices()) {
        largest =
            Math.max(
                largest,
                device.isCuda()
                    ? MemoryLedger.of(device).peakBytes()
                    : ProcessMemory.peakResidentBytes());
      }
      return largest;
    }

    @Override
    public void step(StepMetrics step, double remainingSeconds) {
      if (metrics != null) {
        metrics.step(step);
      }
      listener.step(step, totalSteps, remainingSeconds);
    }

    @Override
    public void validated(long step, double loss) {
      if (metrics != null) {
        metrics.validation(step, loss);
      }
      listener.validated(step, loss);
    }

    @Override
    public void save(RankTrainer.Rank rank, Progress progress) {
      if (checkpoints != null) {
        checkpoints.save(rank, progress);
      }
    }

    @Override
    public boolean stopRequested() {
      return stop.get();
    }
  }

  private final class Tokenising implements TokenisationListener {
    @Override
    public void progress(TokenisationProgress progress) {
      listener.tokenising(progress);
    }

    @Override
    public void notice(String message) {
      listener.notice(message);
    }

    @Override
    public boolean stopRequested() {
      return stop.get();
    }
  }
}
