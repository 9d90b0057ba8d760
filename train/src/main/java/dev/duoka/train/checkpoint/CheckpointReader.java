package dev.duoka.train.checkpoint;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.engine.optimizer.AdamW;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.weight.CheckpointTensor;
import dev.duoka.model.weight.CheckpointWeights;
import dev.duoka.model.weight.StateBuffer;
import dev.duoka.model.weight.StoredTensors;
import dev.duoka.model.weight.Weight;
import dev.duoka.model.weight.WeightReader;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.parallel.state.StateSlice;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.MasterBuffer;
import dev.duoka.tensor.kernel.MomentBuffer;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A checkpoint opened for going on from it, by ranks in any layout and in any number of processes.
 * Shared by the ranks of a process: each reads the part that it keeps.
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
  /** Bytes of a stored tensor that are read at once. */
  private static final long READ_BYTES = 32L << 20;

  private final Path folder;
  private final StateJson state;
  private final ModelConfig config;
  private final SafetensorsFolder weights;
  private final Moments moments;

  private CheckpointReader(
      Path folder,
      StateJson state,
      ModelConfig config,
      SafetensorsFolder weights,
      Moments moments) {
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
    ModelConfig config = StoredModel.config(folder);
    SafetensorsFolder weights = SafetensorsFolder.open(folder);
    boolean opened = false;
    try {
      Moments moments = Moments.open(folder);
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
   * Gives a rank's model and optimizer the state of the checkpoint, bit for bit where it was saved
   * in the same form; the base of an adapter is not in it and must be there. Collective when states
   * are shared among ranks.
   *
   * @throws DuokaException when the checkpoint is of another model; says the first difference
   */
  public void restore(LanguageModel model, ShardedOptimizer optimizer) {
    ConfigComparison.requireSame(folder, config, model);
    StateLayout layout = StateLayout.of(model.config(), model.predictionDepth());
    requireSameTensors(layout, StateLayout.ofFrozen(model.config(), model.predictionDepth()));
    if (model.config().adapter() == null && !model.frozenWeights().isEmpty()) {
      optimizer.fill(
          () ->
              WeightReader.readAll(
                  CheckpointWeights.plain(weights), model.frozenWeights(), List.of()));
    }
    Map<String, List<CheckpointTensor>> tensors = new HashMap<>();
    for (Weight weight : model.weights()) {
      tensors.put(weight.spec().name(), weight.checkpointTensors());
    }
    for (StateSlice slice : optimizer.slices()) {
      for (SlicePiece piece : SlicePiece.of(slice)) {
        restore(slice.states(), piece, tensors.getOrDefault(piece.parameter().name(), List.of()));
      }
    }
    for (StateBuffer buffer : model.buffers()) {
      if (!layout.buffers().containsKey(buffer.checkpointName())) {
        continue; // of a frozen base, where it is
      }
      TensorEntry entry = weights.entry(buffer.checkpointName());
      requireFits(entry, List.of(buffer.length()), buffer.value().dtype());
      HostCopy.write(buffer.value(), (offset, chunk) -> weights.read(entry, offset, chunk));
    }
    optimizer.restoreSteps(state().optimizerSteps());
    optimizer.publish();
  }

  private void restore(AdamW states, SlicePiece piece, List<CheckpointTensor> tensors) {
    restore(states.master(), piece, tensors);
    restore(states.firstMoment(), piece, tensors, CheckpointFiles.FIRST_MOMENT);
    restore(states.secondMoment(), piece, tensors, CheckpointFiles.SECOND_MOMENT);
  }

  private void restore(MasterBuffer master, SlicePiece piece, List<CheckpointTensor> tensors) {
    if (!master.isRemainder()) {
      fillWeights(master.whole(), piece, tensors);
      return;
    }
    for (SlicePiece part : piece.parts()) {
      try (Tensor wide = Tensors.zeros(Dtype.FLOAT32, Device.CPU, part.length())) {
        fillWeights(wide, part.alone(), tensors);
        master.write(part.place(), wide);
      }
    }
  }

  private void fillWeights(Tensor state, SlicePiece piece, List<CheckpointTensor> tensors) {
    for (CheckpointTensor tensor : tensors) {
      fill(state, piece, tensor, weights.entry(tensor.name()), weights::read);
    }
  }

  private void restore(
      MomentBuffer moment, SlicePiece piece, List<CheckpointTensor> tensors, String suffix) {
    if (moment.isWide()) {
      fillMoment(moment.values(), piece, tensors, suffix);
      return;
    }
    for (SlicePiece part : piece.parts()) { // of whole blocks, whose numbers share a scale
      try (Tensor wide = Tensors.zeros(Dtype.FLOAT32, Device.CPU, part.length())) {
        fillMoment(wide, part.alone(), tensors, suffix);
        try (Tensor there = Copies.to(wide, moment.values().device())) {
          moment.write(part.place(), there);
        }
      }
    }
  }

  private void fillMoment(
      Tensor state, SlicePiece piece, List<CheckpointTensor> tensors, String suffix) {
    for (CheckpointTensor tensor : tensors) {
      fill(state, piece, tensor, moments.entry(tensor.name() + suffix), moments::read);
    }
  }

  /** Reads bytes of a stored tensor from an offset on. */
  private interface Source {
    void read(TensorEntry entry, long byteOffset, ByteBuffer into);
  }

  /** Reads those rows of a stored tensor of which the piece has something, some at a time. */
  private void fill(
      Tensor state, SlicePiece piece, CheckpointTensor tensor, TensorEntry entry, Source source) {
    Dtype dtype = state.dtype() == Dtype.BFLOAT16 ? Dtype.FLOAT32 : state.dtype();
    requireFits(entry, tensor.shape(), dtype);
    long columns = piece.portion().columns();
    long firstRow = tensor.offset() / columns;
    long rows = tensor.elements() / columns;
    long rowBytes = columns * dtype.bytes();
    long atOnce = Math.max(1, READ_BYTES / rowBytes);
    for (long row = 0; row < rows; row += atOnce) {
      long count = Math.min(atOnce, rows - row);
      if (!piece.touches(firstRow + row, count)) {
        continue;
      }
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        Tensor read = Tensors.empty(dtype, Device.CPU, count, columns);
        long firstByte = row * rowBytes;
        HostCopy.write(read, (offset, chunk) -> source.read(entry, firstByte + offset, chunk));
        piece.take(read, firstRow + row, state);
      }
    }
  }

  private void requireFits(TensorEntry entry, List<Long> shape, Dtype dtype) {
    if (!entry.shape().equals(shape) || entry.dtype() != StoredTensors.stored(dtype)) {
      throw otherModel(
          entry.name()
              + " is "
              + entry.dtype()
              + entry.shape()
              + " there and "
              + StoredTensors.stored(dtype)
              + shape
              + " in this run's model");
    }
  }

  private void requireSameTensors(StateLayout layout, StateLayout frozen) {
    for (TensorEntry entry : weights.tensors()) {
      if (!layout.tensors().containsKey(entry.name())
          && !frozen.tensors().containsKey(entry.name())
          && !layout.buffers().containsKey(entry.name())) {
        throw otherModel("it has " + entry.name() + ", which this run's model lacks");
      }
    }
    for (String name : layout.tensors().keySet()) {
      if (!weights.contains(name)) {
        throw otherModel("it lacks " + name + ", which this run's model has");
      }
      if (!moments.contains(name + CheckpointFiles.FIRST_MOMENT)) {
        throw otherModel(name + " was frozen there, and this run trains it");
      }
    }
    for (String name : frozen.tensors().keySet()) {
      if (!weights.contains(name)) {
        throw otherModel("it lacks " + name + ", which this run's model has");
      }
      if (moments.contains(name + CheckpointFiles.FIRST_MOMENT)) {
        throw otherModel(name + " was trained there, and this run freezes it");
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
