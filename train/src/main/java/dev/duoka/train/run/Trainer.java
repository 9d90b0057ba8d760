package dev.duoka.train.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.shard.TokenisationProgress;
import dev.duoka.data.shard.TokenisationStoppedException;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.data.training.TrainingData;
import dev.duoka.train.checkpoint.TokenizerFiles;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.memory.MemoryNeed;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Runs a training job from its configuration to its result: checks it, opens its folder and its
 * data, and hands over to a {@link Session}.
 *
 * <p>{@link #run} blocks until the run ends; {@link #stop} may be called from any thread and lets
 * it save and end after the current step, or at once while it is preparing.
 */
public final class Trainer {
  private final RunConfig config;
  private final RunOptions options;
  private final Path runDir;
  private final RunLog listener;
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
    this.listener = new RunLog(listener);
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
    DevicePlacement placement = DevicePlacement.choose(config.device(), config.parallel().ranks());
    try (RunFolder folder = RunFolder.open(runDir, options.resume(), listener::notice)) {
      listener.writeInto(folder);
      MemoryNeed memory = RunMemory.require(config, checked.model(), placement);
      TokenizerFiles tokenizer = RunData.tokenizerFiles(config, checked.tokenizer());
      Optional<TrainingData> data = openData(checked.tokenizer());
      if (data.isEmpty()) {
        return RunResult.stoppedWhilePreparing(runDir);
      }
      RunSetup setup =
          new RunSetup(config, checked.model(), placement, memory, data.get(), options.maxSteps());
      requireWarmupWithin(setup.totalSteps());
      return new Session(setup, tokenizer, folder, listener, stop::get).run();
    } catch (DuokaException e) {
      listener.failed(e);
      throw e;
    }
  }

  /** Of a run whose length in steps only its data tells; of others the run file was refused. */
  private void requireWarmupWithin(long steps) {
    long warmup = config.schedule().warmupSteps();
    if (warmup >= steps) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "schedule.warmup_steps " + warmup + " leaves nothing of the run's " + steps + " steps",
          "Nearest valid: " + (steps - 1) + "; or train for more epochs");
    }
  }

  /** Empty when the run was stopped meanwhile. */
  private Optional<TrainingData> openData(Tokenizer tokenizer) {
    try {
      return Optional.of(
          options.resume()
              ? RunData.reopen(config, runDir, tokenizer, new Tokenising())
              : RunData.open(config, tokenizer, new Tokenising()));
    } catch (TokenisationStoppedException e) {
      return Optional.empty();
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
