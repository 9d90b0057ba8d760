package dev.duoka.train.checkpoint;

import dev.duoka.engine.optimizer.AdamW;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.weight.StateBuffer;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.parallel.state.StateSlice;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.MomentBuffer;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A copy of a training state in host memory that the ranks of a process fill together: master
 * weights and both moments, the whole model's weights one behind the other, and the state buffers.
 *
 * <p>Allocated once and filled again for each save. Owns its tensors.
 */
final class TrainingSnapshot implements AutoCloseable {
  private final ModelConfig config;
  private final int predictionDepth;
  private final StateLayout layout;
  private final Tensor master;
  private final Tensor firstMoment;
  private final Tensor secondMoment;
  private final Map<String, Tensor> buffers = new LinkedHashMap<>();

  /** Memory for states of models like this one. */
  TrainingSnapshot(LanguageModel model) {
    config = model.config();
    predictionDepth = model.predictionDepth();
    layout = StateLayout.of(config, predictionDepth);
    Dtype dtype = model.parameters().wideDtype();
    try (Scope _ = Scope.open(MemoryOwner.SNAPSHOT)) {
      master = Tensors.empty(dtype, Device.CPU, layout.length());
      firstMoment = Tensors.empty(dtype, Device.CPU, layout.length());
      secondMoment = Tensors.empty(dtype, Device.CPU, layout.length());
      layout.buffers().forEach((name, n) -> buffers.put(name, Tensors.empty(dtype, Device.CPU, n)));
      // Only when all are allocated do they leave the scope, which frees them otherwise.
      Scope.detach(master);
      Scope.detach(firstMoment);
      Scope.detach(secondMoment);
      buffers.values().forEach(Scope::detach);
    }
  }

  /**
   * Copies this rank's part; complete when every rank has returned. Waits for the GPU. What several
   * ranks have, the first of them copies.
   */
  void fill(LanguageModel model, ShardedOptimizer optimizer) {
    if (optimizer.isFirstOfStage()) {
      for (StateBuffer buffer : model.buffers()) {
        Copies.into(buffer(buffer.checkpointName()), buffer.value());
      }
    }
    for (StateSlice slice : optimizer.slices()) {
      if (slice.isCounted()) {
        AdamW states = slice.states();
        for (SlicePiece piece : SlicePiece.of(slice)) {
          copy(piece, states.master(), master);
          copy(piece, states.firstMoment(), firstMoment);
          copy(piece, states.secondMoment(), secondMoment);
        }
      }
    }
  }

  private void copy(SlicePiece piece, Tensor state, Tensor flat) {
    try (Tensor whole = whole(piece, flat)) {
      piece.give(state, whole);
    }
  }

  private void copy(SlicePiece piece, MomentBuffer moment, Tensor flat) {
    try (Tensor whole = whole(piece, flat)) {
      piece.give(moment, whole);
    }
  }

  /** The place of a weight in what is kept of all, {@code [rows, columns]}. */
  private Tensor whole(SlicePiece piece, Tensor flat) {
    long start = layout.startOf(piece.parameter().name());
    long rows = piece.portion().rows();
    long columns = piece.portion().columns();
    try (Tensor place = Views.narrow(flat, 0, start, rows * columns)) {
      return Views.reshape(place, rows, columns);
    }
  }

  ModelConfig config() {
    return config;
  }

  int predictionDepth() {
    return predictionDepth;
  }

  StateLayout layout() {
    return layout;
  }

  Tensor master() {
    return master;
  }

  Tensor firstMoment() {
    return firstMoment;
  }

  Tensor secondMoment() {
    return secondMoment;
  }

  Map<String, Tensor> buffers() {
    return buffers;
  }

  private Tensor buffer(String name) {
    Tensor buffer = buffers.get(name);
    if (buffer == null) {
      throw new IllegalStateException("the snapshot was made for a model without " + name);
    }
    return buffer;
  }

  @Override
  public void close() {
    master.close();
    firstMoment.close();
    secondMoment.close();
    buffers.values().forEach(Tensor::close);
  }
}
