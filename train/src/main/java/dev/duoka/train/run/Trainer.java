package dev.duoka.train.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.launch.Neighbours;
import dev.duoka.comm.launch.ProcessPlace;
import dev.duoka.comm.launch.ProcessRanks;
import dev.duoka.comm.launch.RankRange;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.shard.TokenisationProgress;
import dev.duoka.data.shard.TokenisationStoppedException;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.data.training.TrainingData;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.prediction.Prediction;
import dev.duoka.tensor.Gpus;
import dev.duoka.train.checkpoint.TokenizerFiles;
import dev.duoka.train.config.LaunchSettings;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.memory.MemoryNeed;
import dev.duoka.train.snapshot.SnapshotRecorder;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Runs a training job from its configuration to its result: checks it, meets the run's other
 * processes if there are any, opens its folder and its data, and hands over to a {@link Session}.
 *
 * <p>{@link #run} blocks until the run ends; {@link #stop} may be called from any thread and lets
 * it save and end after the current step, or at once while it is preparing.
 */
public final class Trainer {
  private final RunConfig config;
  private final RunOptions options;
  private final Path runDir;
  private final ProcessPlace place;
  private final RunLog listener;
  private final StepForecast forecast;
  private final AtomicBoolean stop = new AtomicBoolean();

  /**
   * A run, of which this process has the place that its environment says.
   *
   * @param runDir where it writes; of several processes that of the first one counts
   * @param forecast says how long a step takes, for the prediction that is written
   * @throws DuokaException {@code CONFIG} when the environment contradicts itself
   */
  public Trainer(
      RunConfig config,
      RunOptions options,
      Path runDir,
      RunListener listener,
      StepForecast forecast) {
    this(config, options, runDir, ProcessPlace.of(System.getenv()), listener, forecast);
  }

  /** A run of whose speed nothing is predicted. */
  public Trainer(RunConfig config, RunOptions options, Path runDir, RunListener listener) {
    this(config, options, runDir, listener, StepForecast.NONE);
  }

  Trainer(
      RunConfig config, RunOptions options, Path runDir, ProcessPlace place, RunListener listener) {
    this(config, options, runDir, place, listener, StepForecast.NONE);
  }

  private Trainer(
      RunConfig config,
      RunOptions options,
      Path runDir,
      ProcessPlace place,
      RunListener listener,
      StepForecast forecast) {
    this.place = place;
    this.forecast = forecast;
    this.config = config;
    this.options = options;
    this.runDir = runDir;
    this.listener = new RunLog(place.process(), listener);
  }

  /** Asks the run to save and end as soon as it can; returns at once. */
  public void stop() {
    stop.set(true);
  }

  /** Whether this process reports for the run; others only help. */
  public boolean isFirst() {
    return place.process() == 0;
  }

  /**
   * Trains. Everything is freed when it returns or throws; what was saved stays. Nothing is written
   * to a run's folder before it is certain that the run can start or go on.
   *
   * @throws DuokaException what ended the run, the same on all of its processes
   */
  public RunResult run() {
    RunChecks.Checked checked = RunChecks.require(config);
    LaunchSettings launch = config.launch();
    RankRange ranks = place.ranks(config.parallel().ranks(), launch.ranksPerProcess().count());
    try (ProcessRanks processes =
        ProcessRanks.join(
            place,
            ranks,
            launch.limit(),
            launch.limit(),
            RunTerms.of(config, options),
            runDir.toAbsolutePath().toString())) {
      try {
        return run(checked, processes);
      } catch (Throwable t) { // whatever it is, the other processes must not wait for this one
        processes.fail(t);
        throw t;
      }
    }
  }

  private RunResult run(RunChecks.Checked checked, ProcessRanks processes) {
    int onMachine = processes.neighbours().count() * processes.ranks().count();
    DevicePlacement placement =
        DevicePlacement.choose(
            config.device(), config.parallel().mesh(), processes.ranks(), local(processes));
    Gpus.begin(placement.devices());
    try (RunFolder folder = open(processes)) {
      listener.writeInto(folder);
      if (isFirst()) {
        SnapshotRecorder.prepare();
      }
      placement.notices(Gpus::reaches).forEach(listener::notice);
      listener.reached("counting memory", 0, 0);
      RunMemory.Counted memory =
          processes.during(
              () -> RunMemory.require(config, checked.model(), placement, place.processes()));
      TokenizerFiles tokenizer = RunData.tokenizerFiles(config, checked.tokenizer());
      Optional<TrainingData> data =
          processes.during(() -> openData(checked.tokenizer(), folder.path(), processes));
      if (processes.leads().agreement().any(data.isEmpty())) {
        return RunResult.stoppedWhilePreparing(folder.path());
      }
      RunTerms.requireSameData(data.get().identity(), processes);
      listener.reached("predicting the step", 0, 0);
      RunSetup setup =
          new RunSetup(
              config,
              checked.model(),
              placement,
              onMachine,
              memory.device(),
              data.get(),
              processes.during(() -> predict(checked.model(), placement, memory)),
              options.maxSteps(),
              Turns.of(System.getenv()));
      requireScheduleWithin(setup.totalSteps());
      RunResult result =
          new Session(setup, processes, tokenizer, folder, listener, stop::get).run();
      listener.ended(result);
      return result;
    } catch (DuokaException e) {
      listener.failed(e);
      throw e;
    }
  }

  /** The first process speaks for all. */
  private Optional<Prediction> predict(
      ModelConfig model, DevicePlacement placement, RunMemory.Counted memory) {
    return isFirst()
        ? Optional.of(
            RunPrediction.of(
                new StepForecast.Question(
                    config, model, placement, place.processes(), largest(memory.stages())),
                memory,
                forecast))
        : Optional.empty();
  }

  private static Map<String, Long> largest(List<MemoryNeed> stages) {
    return stages.stream()
        .max(Comparator.comparingLong(MemoryNeed::bytes))
        .map(MemoryNeed::byOwner)
        .orElse(Map.of());
  }

  /** The number that whoever started the processes has given goes before what we have counted. */
  private Neighbours local(ProcessRanks processes) {
    Neighbours counted = processes.neighbours();
    int index = place.localProcess().orElse(counted.index());
    return new Neighbours(index, Math.max(counted.count(), index + 1));
  }

  /** The first process opens the folder, then the others join it. */
  private RunFolder open(ProcessRanks processes) {
    Optional<RunFolder> first =
        processes.during(
            () ->
                processes.isFirst()
                    ? Optional.of(RunFolder.open(runDir, options.resume(), listener::notice))
                    : Optional.empty());
    boolean joined = false;
    try {
      RunFolder folder =
          processes.during(
              () ->
                  first.orElseGet(
                      () -> RunFolder.join(Path.of(processes.word()), options.resume())));
      joined = true;
      return folder;
    } finally {
      if (!joined) {
        first.ifPresent(RunFolder::close);
      }
    }
  }

  /** Of a run whose length in steps only its data tells; of others the run file was refused. */
  private void requireScheduleWithin(long steps) {
    config
        .schedule()
        .misfit(steps)
        .ifPresent(
            found -> {
              throw new DuokaException(
                  ErrorCode.CONFIG, found.problem(), found.remedy() + " More epochs are longer.");
            });
  }

  /** Empty when the run was stopped meanwhile. */
  private Optional<TrainingData> openData(
      Tokenizer tokenizer, Path folder, ProcessRanks processes) {
    Tokenising tokenising = new Tokenising(processes);
    try {
      return Optional.of(
          options.resume()
              ? RunData.reopen(config, folder, tokenizer, tokenising)
              : RunData.open(config, tokenizer, tokenising));
    } catch (TokenisationStoppedException e) {
      return Optional.empty();
    }
  }

  private final class Tokenising implements TokenisationListener {
    private final ProcessRanks processes;

    Tokenising(ProcessRanks processes) {
      this.processes = processes;
    }

    @Override
    public void progress(TokenisationProgress progress) {
      listener.tokenising(progress);
    }

    @Override
    public void comparing(long done, long total) {
      listener.reached("looking for what is held out in what is trained on", done, total);
    }

    @Override
    public void notice(String message) {
      listener.notice(message);
    }

    @Override
    public boolean stopRequested() {
      return stop.get() || processes.leads().failure() != null;
    }
  }
}
