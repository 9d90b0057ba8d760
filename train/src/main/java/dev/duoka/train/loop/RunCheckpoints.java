package dev.duoka.train.loop;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Sha256;
import dev.duoka.data.batch.DataState;
import dev.duoka.train.checkpoint.Checkpoint;
import dev.duoka.train.checkpoint.CheckpointEvent;
import dev.duoka.train.checkpoint.CheckpointReader;
import dev.duoka.train.checkpoint.CheckpointStore;
import dev.duoka.train.checkpoint.CheckpointWriter;
import dev.duoka.train.checkpoint.RetentionPolicy;
import dev.duoka.train.checkpoint.TokenizerFiles;
import dev.duoka.train.checkpoint.TrainingState;
import dev.duoka.train.config.DataSettings;
import dev.duoka.train.config.RunConfig;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** The checkpoints of a run: the one it goes on from, if any, and those that it writes. */
final class RunCheckpoints implements AutoCloseable {
  private final CheckpointWriter writer;
  private final @Nullable CheckpointReader resumed;
  private final String configHash;
  private final long seed;

  private RunCheckpoints(
      CheckpointWriter writer, @Nullable CheckpointReader resumed, String configHash, long seed) {
    this.writer = writer;
    this.resumed = resumed;
    this.configHash = configHash;
    this.seed = seed;
  }

  /**
   * Prepares to save, and to resume if that is wanted.
   *
   * @throws DuokaException when there is no valid checkpoint to resume from
   */
  static RunCheckpoints open(Path runDir, RunConfig config, boolean resume, RunListener listener) {
    String hash = hashOfDataAndBatch(config);
    CheckpointWriter writer =
        new CheckpointWriter(
            runDir,
            TokenizerFiles.of(config.data().tokenizer()),
            new RetentionPolicy(config.checkpoint().keep(), config.checkpoint().keepEvery()),
            event -> report(event, listener));
    CheckpointReader resumed = null;
    if (resume) {
      Checkpoint checkpoint =
          new CheckpointStore(runDir)
              .latestValid(event -> report(event, listener))
              .orElseThrow(
                  () ->
                      new DuokaException(
                          ErrorCode.CHECKPOINT,
                          "there is no complete checkpoint to resume from in " + runDir,
                          "Start the run again without --resume, in another folder"));
      resumed = CheckpointReader.open(checkpoint);
      listener.notice("resuming from " + checkpoint.folder());
      if (!resumed.state().configHash().equals(hash)) {
        listener.notice(
            "data, sequence length, batch or seed are not those of the checkpoint: the run goes"
                + " on, but not with the data that it would have seen");
      }
    }
    return new RunCheckpoints(writer, resumed, hash, config.training().seed());
  }

  /** How many steps were taken before this session. */
  long stepsTaken() {
    return resumed == null ? 0 : resumed.state().step();
  }

  /** Where the data stands. */
  DataState data() {
    return resumed == null ? DataState.START : resumed.state().data();
  }

  /** Gives a rank the state it goes on from; false when the run is new. Collective. */
  boolean restore(RankState rank) {
    if (resumed == null) {
      return false;
    }
    resumed.restore(rank.model(), rank.optimizer());
    rank.optimizer().restoreSteps(resumed.state().optimizerSteps());
    rank.scaler().restore(resumed.state().lossScaler());
    return true;
  }

  /** Copies the state and writes it in the background. Collective. */
  void save(RankTrainer.Rank rank, long steps, DataState data, OptionalDouble validationLoss) {
    writer.save(
        rank.collectives(),
        rank.model(),
        rank.optimizer(),
        new TrainingState(
            steps,
            rank.optimizer().steps(),
            data,
            rank.scaler().state(),
            seed,
            configHash,
            Map.of("validation_loss", validationLoss.orElse(Double.NaN))));
  }

  /** What decides which tokens a step sees. */
  private static String hashOfDataAndBatch(RunConfig config) {
    DataSettings data = config.data();
    String text =
        String.join(
            "\n",
            data.sources().toString(),
            data.format().toString(),
            data.tokenizer(),
            Integer.toString(data.sequenceLength()),
            Double.toString(data.validationFraction()),
            data.seed().toString(),
            Long.toString(config.training().tokensPerStep()));
    return HexFormat.of().formatHex(Sha256.of(text.getBytes(StandardCharsets.UTF_8)));
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
