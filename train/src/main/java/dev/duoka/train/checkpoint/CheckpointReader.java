package dev.duoka.train.checkpoint;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.engine.optimizer.AdamW;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.safetensors.SafetensorsFile;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.weight.CheckpointTensor;
import dev.duoka.model.weight.StateBuffer;
import dev.duoka.model.weight.StoredTensors;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.parallel.state.StateSlice;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Views;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A checkpoint opened for going on from it, by any number of ranks and with any ZeRO stage. Shared
 * by the ranks of a process: each reads the part that it keeps.
 *
 * <pre>{@code
 * try (CheckpointReader reader = CheckpointReader.open(checkpoint)) {
 *   LocalRanks.run(2, collectives -> {
 *     ... // make model and optimizer
 *     reader.restore(model, optimizer); // every rank
 *   });
 * }
 * }</pre>
 */
public final class CheckpointReader implements AutoCloseable {
  private final Path folder;
  private final StateJson state;
  private final ModelConfig config;
  private final SafetensorsFolder weights;
  private final SafetensorsFile moments;

  private CheckpointReader(
      Path folder,
      StateJson state,
      ModelConfig config,
      SafetensorsFolder weights,
      SafetensorsFile moments) {
    this.folder = folder;
    this.state = state;
    this.config = config;
    this.weights = weights;
    this.moments = moments;
  }

  /** What a checkpoint says of the data it was trained on; empty where it cannot be read. */
  public static Optional<Map<String, String>> identity(Checkpoint checkpoint) {
    try {
      return Optional.of(StateJson.read(checkpoint.folder()).state().identity());
    } catch (DuokaException e) {
      return Optional.empty(); // whoever resumes from it will say so
    }
  }

  /** Opens a checkpoint that {@link CheckpointStore#latestValid} found. */
  public static CheckpointReader open(Checkpoint checkpoint) {
    Path folder = checkpoint.folder();
    StateJson state = StateJson.read(folder);
    ModelConfig config = ModelConfigReader.read(folder);
    SafetensorsFolder weights = SafetensorsFolder.open(folder);
    boolean opened = false;
    try {
      SafetensorsFile moments = SafetensorsFile.open(folder.resolve(CheckpointFiles.OPTIMIZER));
      opened = true;
      return new CheckpointReader(folder, state, config, weights, moments);
    } finally {
      if (!opened) {
        weights.close();
      }
    }
  }

  /** The run's numbers. */
  public TrainingState state() {
    return state.state();
  }

  /** The model. */
  public ModelConfig config() {
    return config;
  }

  /**
   * Gives a rank's model and optimizer the state of the checkpoint, bit for bit. Collective when
   * the optimizer is sharded.
   *
   * @throws DuokaException when the checkpoint is of another model; says the first difference
   */
  public void restore(LanguageModel model, ShardedOptimizer optimizer) {
    ConfigComparison.requireSame(folder, config, model);
    FlatLayout layout = FlatLayout.of(model);
    requireSameTensors(layout, model.buffers());
    List<StateSlice> slices = optimizer.slices();
    for (int i = 0; i < slices.size(); i++) {
      restore(slices.get(i).states(), layout.startOf(slices, i), layout);
    }
    for (StateBuffer buffer : model.buffers()) {
      String name = buffer.checkpointName();
      CheckpointTensor whole = new CheckpointTensor(name, 0, List.of(buffer.length()));
      fill(buffer.value(), 0, whole, weights.entry(name), weights::read);
    }
    optimizer.restoreSteps(state().optimizerSteps());
    optimizer.publish();
  }

  private void restore(AdamW states, long start, FlatLayout layout) {
    for (CheckpointTensor tensor : layout.inOrder()) {
      String name = tensor.name();
      fill(states.master(), start, tensor, weights.entry(name), weights::read);
      fill(
          states.firstMoment(),
          start,
          tensor,
          moments.entry(name + CheckpointFiles.FIRST_MOMENT),
          moments::read);
      fill(
          states.secondMoment(),
          start,
          tensor,
          moments.entry(name + CheckpointFiles.SECOND_MOMENT),
          moments::read);
    }
  }

  /** Reads bytes of a stored tensor from an offset on. */
  private interface Source {
    void read(TensorEntry entry, long byteOffset, ByteBuffer into);
  }

  /** Reads that part of a tensor which lies in the shard. */
  private void fill(
      Tensor shard, long shardOffset, CheckpointTensor place, TensorEntry entry, Source source) {
    requireFits(entry, place, shard);
    long start = Math.max(place.offset(), shardOffset);
    long end = Math.min(place.offset() + place.elements(), shardOffset + shard.elements());
    if (start < end) {
      long firstByte = (start - place.offset()) * shard.dtype().bytes();
      try (Tensor part = Views.narrow(shard, 0, start - shardOffset, end - start)) {
        HostCopy.write(part, (offset, chunk) -> source.read(entry, firstByte + offset, chunk));
      }
    }
  }

  private void requireFits(TensorEntry entry, CheckpointTensor place, Tensor shard) {
    if (!entry.shape().equals(place.shape())
        || entry.dtype() != StoredTensors.stored(shard.dtype())) {
      throw otherModel(
          entry.name()
              + " is "
              + entry.dtype()
              + entry.shape()
              + " there and "
              + StoredTensors.stored(shard.dtype())
              + place.shape()
              + " in this run's model");
    }
  }

  private void requireSameTensors(FlatLayout layout, List<StateBuffer> buffers) {
    List<String> state = buffers.stream().map(StateBuffer::checkpointName).toList();
    for (TensorEntry entry : weights.tensors()) {
      if (!layout.tensors().containsKey(entry.name()) && !state.contains(entry.name())) {
        throw otherModel("it has " + entry.name() + ", which this run's model lacks");
      }
    }
    for (String name : layout.tensors().keySet()) {
      if (!weights.contains(name)) {
        throw otherModel("it lacks " + name + ", which this run's model has");
      }
    }
  }

  private DuokaException otherModel(String difference) {
    return new DuokaException(
        ErrorCode.CHECKPOINT,
        "cannot go on from " + folder + ": " + difference,
        "Resume with the run file it was trained with, or start a new run");
  }

  /** Closes the files; a second call does nothing. */
  @Override
  public void close() {
    weights.close();
    moments.close();
  }
}
