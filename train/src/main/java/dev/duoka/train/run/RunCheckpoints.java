package dev.duoka.train.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.Communicator;
import dev.duoka.data.training.TrainingData;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.train.checkpoint.BaseWeights;
import dev.duoka.train.checkpoint.Checkpoint;
import dev.duoka.train.checkpoint.CheckpointEvent;
import dev.duoka.train.checkpoint.CheckpointReader;
import dev.duoka.train.checkpoint.CheckpointStore;
import dev.duoka.train.checkpoint.CheckpointWriter;
import dev.duoka.train.checkpoint.ProcessShare;
import dev.duoka.train.checkpoint.RetentionPolicy;
import dev.duoka.train.checkpoint.TokenizerFiles;
import dev.duoka.train.checkpoint.TrainingState;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.ValidationSettings;
import dev.duoka.train.step.RankState;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** The checkpoints of a run: the one it goes on from, if any, and those that it writes. */
final class RunCheckpoints implements AutoCloseable {
  private static final String LOSS = "loss";
  private static final String VALIDATION_LOSS = "validation_loss";
  private static final String BEST_STEP = "best_step";
  private static final String BEST_VALUE = "best_value";
  private static final String SINCE_BEST = "validations_since_best";
  private static final String BEST_BY = "best_by";
  private static final String OWES_VALIDATION = "owes_validation";

  private final CheckpointStore store;
  private final CheckpointWriter writer;
  private final RunListener listener;
  private final @Nullable CheckpointReader resumed;
  private final Map<String, String> identity;
  private final long seed;
  private final ValidationSettings validation;

  /** The step that was last handed over to be saved; 0 for none. */
  private final AtomicLong handedOver = new AtomicLong();

  /** Steps that were the best, the last of them first. */
  private final List<Long> best;

  private RunCheckpoints(
      CheckpointStore store,
      CheckpointWriter writer,
      RunListener listener,
      @Nullable CheckpointReader resumed,
      Map<String, String> identity,
      long seed,
      ValidationSettings validation,
      List<Long> best) {
    this.validation = validation;
    this.best = best;
    this.store = store;
    this.writer = writer;
    this.listener = listener;
    this.resumed = resumed;
    this.identity = identity;
    this.seed = seed;
  }

  /**
   * Prepares to save, and to resume if that is wanted.
   *
   * @param model what is trained
   * @param tokenizer what checkpoints keep of it
   * @param identity of the data, by name
   * @param resume finds the checkpoint to go on from; empty for a new run
   * @param share which of the processes that save together this one is
   * @throws DuokaException when there is no valid checkpoint to resume from, or it is one of other
   *     data or of another adapter
   */
  static RunCheckpoints open(
      Path runDir,
      RunConfig config,
      ModelConfig model,
      TokenizerFiles tokenizer,
      Map<String, String> identity,
      Optional<Resumption> resume,
      ProcessShare share,
      RunListener listener) {
    List<Long> best = new CopyOnWriteArrayList<>();
    boolean keepsBest = config.validation().keepBest();
    CheckpointWriter writer =
        new CheckpointWriter(
            runDir,
            tokenizer,
            new RetentionPolicy(
                config.checkpoint().keep(),
                config.checkpoint().keepEvery(),
                () -> keepsBest ? List.copyOf(best) : List.of()),
            share,
            event -> report(event, listener));
    CheckpointStore store = new CheckpointStore(runDir);
    CheckpointReader resumed =
        resume.map(from -> resumed(from.checkpoint(store, listener), model, identity)).orElse(null);
    if (resumed != null) {
      long step = resumed.state().extras().getOrDefault(BEST_STEP, 0.0).longValue();
      if (step > 0) {
        best.add(step);
      }
    }
    return new RunCheckpoints(
        store,
        writer,
        listener,
        resumed,
        identity,
        config.training().seed(),
        config.validation(),
        best);
  }

  /** Which checkpoint a run goes on from. */
  interface Resumption {
    /** The newest one that is whole. */
    Resumption NEWEST = RunCheckpoints::newest;

    /** That of a step, which another process has found whole. */
    static Resumption at(long step) {
      return (store, _) ->
          store.list().stream()
              .filter(checkpoint -> checkpoint.step() == step)
              .findFirst()
              .orElseThrow(
                  () ->
                      new DuokaException(
                          ErrorCode.CHECKPOINT,
                          "process 0 goes on from the checkpoint of step "
                              + step
                              + ", which this process does not see",
                          "All processes of a run share its folder: check that it is the same on"
                              + " all machines"));
    }

    /** Finds it. */
    Checkpoint checkpoint(CheckpointStore store, RunListener listener);
  }

  /** What the newest checkpoint of a run says of its data, unverified; empty where none says it. */
  static Optional<Map<String, String>> newestIdentity(Path runDir) {
    return new CheckpointStore(runDir)
        .list().stream().findFirst().flatMap(CheckpointReader::identity);
  }

  private static Checkpoint newest(CheckpointStore store, RunListener listener) {
    return store
        .latestValid(event -> report(event, listener))
        .orElseThrow(
            () ->
                new DuokaException(
                    ErrorCode.CHECKPOINT,
                    "there is no complete checkpoint to resume from in " + store.runFolder(),
                    "Start the run again without --resume, in another folder"));
  }

  private static CheckpointReader resumed(
      Checkpoint checkpoint, ModelConfig model, Map<String, String> identity) {
    CheckpointReader reader = CheckpointReader.open(checkpoint);
    boolean same = false;
    try {
      AdapterComparison.requireSame(
          checkpoint.folder(), reader.config().adapter(), model.adapter());
      requireSame(checkpoint, reader.state().identity(), identity);
      same = true;
    } finally {
      if (!same) {
        reader.close();
      }
    }
    return reader;
  }

  private static void requireSame(
      Checkpoint checkpoint, Map<String, String> stored, Map<String, String> current) {
    stored.forEach(
        (name, hash) -> {
          boolean free =
              name.equals(TrainingData.FILE_NAMES)
                  || name.equals(TrainingData.VALIDATION_SOURCES)
                  || name.equals(BaseWeights.FORM) // compared with the adapter's other fields
                  || name.equals(BaseWeights.FOLDER);
          if (name.equals(BaseWeights.HASH)) {
            requireSameBase(checkpoint, stored, current);
          } else if (!free && !hash.equals(current.get(name))) {
            throw new DuokaException(
                ErrorCode.CHECKPOINT,
                "cannot go on from "
                    + checkpoint.folder()
                    + ": "
                    + name
                    + " is not what it was trained with",
                "Restore it, or start a new run with model.path set to "
                    + checkpoint.folder()
                    + " and model.load_weights to true");
          }
        });
  }

  private static void requireSameBase(
      Checkpoint checkpoint, Map<String, String> stored, Map<String, String> current) {
    String before = stored.getOrDefault(BaseWeights.HASH, "");
    String now =
        current.getOrDefault(BaseWeights.HASH, before); // another process has compared them
    BaseWeights.requireOwnWay(checkpoint.folder(), before);
    if (!before.equals(now)) {
      throw new DuokaException(
          ErrorCode.CHECKPOINT,
          "cannot go on from "
              + checkpoint.folder()
              + ": its adapter was trained on other weights than this run's base has: on "
              + BaseWeights.words(stored)
              + ", and here they are "
              + BaseWeights.words(current),
          "Set model.path to the base that it was trained on");
    }
  }

  /** Where the run goes on. */
  RunProgress progress() {
    if (resumed == null) {
      return RunProgress.START;
    }
    TrainingState state = resumed.state();
    Double validation = state.extras().get(VALIDATION_LOSS);
    return new RunProgress(
        state.step(),
        state.data(),
        state.extras().getOrDefault(LOSS, Double.NaN),
        validation == null ? OptionalDouble.empty() : OptionalDouble.of(validation),
        best(state),
        state.extras().getOrDefault(OWES_VALIDATION, 0.0) > 0);
  }

  private BestStep best(TrainingState state) {
    BestStep stored = stored(state);
    return stored.isOfOther(validation.judgedBy()) ? BestStep.NONE : stored;
  }

  private static BestStep stored(TrainingState state) {
    return new BestStep(
        state.extras().getOrDefault(BEST_STEP, 0.0).longValue(),
        state.extras().getOrDefault(BEST_VALUE, Double.NaN),
        state.extras().getOrDefault(SINCE_BEST, 0.0).longValue(),
        state.words().getOrDefault(BEST_BY, ""));
  }

  /** What is worth telling of a run that goes on; empty for nothing. */
  Optional<String> notice() {
    if (resumed == null || !validation.looksForBest()) {
      return Optional.empty();
    }
    BestStep stored = stored(resumed.state());
    return stored.isOfOther(validation.judgedBy())
        ? Optional.of(
            "the best step was judged by %s (step %d, %.4f) and is now judged by %s: the best begins anew with the next validation"
                .formatted(stored.by(), stored.step(), stored.value(), validation.judgedBy()))
        : Optional.empty();
  }

  /** Called when it is certain that the run goes on: puts away what it cannot go on from. */
  void begin() {
    if (resumed != null) {
      store.setAsideAfter(resumed.state().step(), event -> report(event, listener));
    }
  }

  /** Gives a rank the state it goes on from, if the run is not new. Collective. */
  void restore(RankState rank) {
    if (resumed == null) {
      return;
    }
    resumed.restore(rank.model(), rank.optimizer());
    rank.optimizer().restoreSteps(resumed.state().optimizerSteps());
    rank.scaler().restore(resumed.state().lossScaler());
  }

  /** Makes ready for saves to come, beside the run. */
  void prepareAhead(RankState rank) {
    writer.prepareAhead(rank.world(), rank.model());
  }

  /** Copies the state beside the next step and writes it in the background. Collective. */
  void save(RankState rank, RunProgress progress) {
    handedOver.set(progress.steps());
    noteBest(progress.best().step());
    writer.save(
        rank.world(),
        rank.model(),
        rank.optimizer(),
        new TrainingState(
            progress.steps(),
            rank.optimizer().steps(),
            progress.data(),
            rank.scaler().state(),
            seed,
            identity,
            Map.of(
                LOSS,
                progress.loss(),
                VALIDATION_LOSS,
                progress.validationLoss().orElse(Double.NaN),
                BEST_STEP,
                (double) progress.best().step(),
                BEST_VALUE,
                progress.best().value(),
                SINCE_BEST,
                (double) progress.best().since(),
                OWES_VALIDATION,
                progress.owesValidation() ? 1.0 : 0.0),
            Map.of(BEST_BY, progress.best().by())));
  }

  /** Checkpoints that are kept as the best, the newest of them first. */
  private void noteBest(long step) {
    if (step > 0 && (best.isEmpty() || best.getFirst() != step)) {
      best.addFirst(step);
    }
  }

  /** Waits until all processes have written what was handed over, or have failed. Collective. */
  void settle(Communicator world) {
    writer.settle(world);
  }

  /** Returns when everything that was handed over is on disk, or has failed. */
  void await() {
    writer.await();
  }

  /** The step of the newest checkpoint that is known to be whole. */
  OptionalLong lastOnDisk() {
    OptionalLong before =
        resumed == null ? OptionalLong.empty() : OptionalLong.of(resumed.state().step());
    return writer.lastSaved().map(saved -> OptionalLong.of(saved.step())).orElse(before);
  }

  /** Whether the last save failed. */
  boolean lastSaveFailed() {
    return handedOver.get() != 0 && lastOnDisk().orElse(0) != handedOver.get();
  }

  private static void report(CheckpointEvent event, RunListener listener) {
    if (event instanceof CheckpointEvent.Saved) {
      listener.saved(event.text());
    } else {
      listener.notice(event.text());
    }
  }

  /** Waits until everything that was handed over is on disk. */
  @Override
  public void close() {
    writer.close();
    if (resumed != null) {
      resumed.close();
    }
  }
}
