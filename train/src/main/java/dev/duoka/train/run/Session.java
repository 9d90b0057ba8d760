package dev.duoka.train.run;

import dev.duoka.base.Resources;
import dev.duoka.comm.FileLedger;
import dev.duoka.comm.launch.ProcessRanks;
import dev.duoka.comm.launch.RankRange;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.modelconfig.ModelConfigWriter;
import dev.duoka.train.checkpoint.BaseWeights;
import dev.duoka.train.checkpoint.ProcessShare;
import dev.duoka.train.checkpoint.TokenizerFiles;
import dev.duoka.train.config.AdapterSettings;
import dev.duoka.train.config.ModelSettings;
import dev.duoka.train.config.ValidationSettings;
import dev.duoka.train.device.DeviceMemory;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A run from when its data is there: it goes on from a checkpoint or begins, trains, and ends. */
final class Session {
  private final RunSetup setup;
  private final ProcessRanks processes;
  private final RunFolder folder;
  private final TokenizerFiles tokenizer;
  private final RunListener listener;
  private final BooleanSupplier stop;

  /**
   * @param processes this process's ranks, among the others
   * @param tokenizer what checkpoints keep of it
   */
  Session(
      RunSetup setup,
      ProcessRanks processes,
      TokenizerFiles tokenizer,
      RunFolder folder,
      RunListener listener,
      BooleanSupplier stop) {
    this.setup = setup;
    this.processes = processes;
    this.tokenizer = tokenizer;
    this.folder = folder;
    this.listener = listener;
    this.stop = stop;
  }

  RunResult run() {
    try (RunCheckpoints checkpoints = open()) {
      RunProgress from = checkpoints.progress();
      if (folder.isResumed() && processes.isFirst()) {
        folder.changes(setup.config()).forEach(listener::notice);
      }
      if (from.steps() >= setup.lastStep() && !from.owesValidation()) {
        return result(from, RunResult.End.NOTHING_TO_DO, RunResult.Speed.NONE, checkpoints);
      }
      Optional<RankSession.Trained> trained = train(checkpoints, from);
      checkpoints.await();
      long end = System.nanoTime();
      return trained.isEmpty()
          ? result(from, RunResult.End.INTERRUPTED, RunResult.Speed.NONE, checkpoints)
          : result(trained.get(), from, end, checkpoints);
    }
  }

  /** The first process finds the checkpoint to go on from, and tells the others which it is. */
  private RunCheckpoints open() {
    try (Resources opened = new Resources()) {
      Optional<RunCheckpoints> first =
          processes.during(
              () ->
                  processes.isFirst()
                      ? Optional.of(opened.own(open(RunCheckpoints.Resumption.NEWEST)))
                      : Optional.empty());
      double[] step = {first.map(it -> (double) it.progress().steps()).orElse(0.0)};
      processes.leads().agreement().sum(step);
      RunCheckpoints own =
          processes.during(
              () ->
                  first.orElseGet(
                      () -> opened.own(open(RunCheckpoints.Resumption.at((long) step[0])))));
      opened.release();
      return own;
    }
  }

  private RunCheckpoints open(RunCheckpoints.Resumption resumption) {
    return RunCheckpoints.open(
        folder.path(),
        setup.config(),
        setup.model(),
        tokenizer,
        identity(),
        folder.isResumed() ? Optional.of(resumption) : Optional.empty(),
        new ProcessShare(processes.place().process(), processes.place().processes()),
        listener);
  }

  /** Of data and frozen weights, whose hash the first process alone takes and compares. */
  private Map<String, String> identity() {
    Map<String, String> identity = new TreeMap<>(setup.data().identity());
    AdapterConfig adapter = setup.model().adapter();
    if (adapter != null) {
      identity.put(BaseWeights.FORM, adapter.baseForm().toString());
    }
    if (adapter != null && processes.isFirst()) {
      ModelSettings model = setup.config().model();
      if (model.loadWeights() && model.path().isPresent()) {
        Path folder = model.path().get();
        listener.reached("hashing the base's weights", 0, 0);
        identity.put(BaseWeights.FOLDER, folder.toAbsolutePath().normalize().toString());
        identity.put(BaseWeights.HASH, BaseWeights.hash(folder));
        setup
            .config()
            .adapter()
            .flatMap(AdapterSettings::path)
            .ifPresent(path -> requireOwnBase(path, folder, adapter));
      } else {
        String drawn =
            BaseWeights.ofSeed(
                setup.config().training().seed(), ModelConfigWriter.json(setup.model()).toString());
        identity.put(BaseWeights.HASH, drawn);
        setup
            .config()
            .adapter()
            .flatMap(AdapterSettings::path)
            .ifPresent(path -> BaseWeights.requireDrawn(path, drawn));
      }
    }
    return identity;
  }

  /** Refuses other weights than an adapter to go on from was trained on, and names another form. */
  private void requireOwnBase(Path path, Path base, AdapterConfig adapter) {
    BaseWeights.require(path, base);
    BaseForm form = BaseWeights.form(path);
    if (form != adapter.baseForm()) {
      listener.notice(
          "the adapter of "
              + path
              + " was trained on a base in the form "
              + form
              + ", and goes on on one in the form "
              + adapter.baseForm());
    }
  }

  /**
   * Runs all ranks of this process; what the first one says, empty when they stopped before their
   * first step.
   */
  private Optional<RankSession.Trained> train(RunCheckpoints checkpoints, RunProgress from) {
    AtomicReference<RankSession.@Nullable Trained> first = new AtomicReference<>();
    RankRange ranks = processes.ranks();
    RankSession session = new RankSession(setup, ranks, folder, checkpoints, from, listener, stop);
    List<FileLedger> ledgers =
        IntStream.range(ranks.first(), ranks.first() + ranks.count())
            .mapToObj(
                rank -> new FileLedger(folder.ledger(rank), rank, ranks.world(), folder::isBegun))
            .toList();
    processes.run(
        rank -> ledgers.get(rank - ranks.first()),
        world -> {
          int number = world.rank() - ranks.first();
          Optional<RankSession.Trained> trained = session.run(world, ledgers.get(number));
          if (number == 0) {
            first.set(trained.orElse(null));
          }
        });
    return Optional.ofNullable(first.get());
  }

  private RunResult result(
      RankSession.Trained trained, RunProgress from, long end, RunCheckpoints checkpoints) {
    RankTrainer.Outcome outcome = trained.outcome();
    long steps = outcome.progress().steps() - from.steps();
    double seconds = (end - trained.startNanos()) * 1e-9;
    double overall =
        steps == 0 ? Double.NaN : steps * setup.config().training().tokensPerStep() / seconds;
    return result(
        outcome.progress(),
        outcome.interrupted() ? RunResult.End.INTERRUPTED : RunResult.End.COMPLETE,
        new RunResult.Speed(outcome.tokensPerSecond(), overall, trained.mfu()),
        checkpoints);
  }

  private RunResult result(
      RunProgress progress, RunResult.End end, RunResult.Speed speed, RunCheckpoints checkpoints) {
    return new RunResult(
        progress.loss(),
        progress.validationLoss(),
        progress.steps(),
        setup.lastStep(),
        setup.totalSteps(),
        speed,
        setup.placement().devices().stream().mapToLong(DeviceMemory::peakBytes).max().orElse(0),
        folder.path(),
        end,
        checkpoints.lastOnDisk(),
        checkpoints.lastSaveFailed(),
        best(progress.best()),
        setup
            .config()
            .generateSample()
            .map(sample -> sample.prompt())
            .orElseGet(() -> setup.data().prompt()));
  }

  private Optional<RunResult.Best> best(BestStep best) {
    ValidationSettings validation = setup.config().validation();
    return validation.looksForBest() && best.step() > 0
        ? Optional.of(
            new RunResult.Best(
                best.step(), best.value(), validation.bestBy(), best.ends(validation)))
        : Optional.empty();
  }
}
