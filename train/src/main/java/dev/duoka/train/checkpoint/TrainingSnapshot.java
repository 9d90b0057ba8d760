package dev.duoka.train.checkpoint;

import dev.duoka.engine.optimizer.AdamW;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.weight.CheckpointTensor;
import dev.duoka.model.weight.StateBuffer;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.parallel.state.StateSlice;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A copy of a training state in host memory that the ranks of a run fill together: master weights
 * and both moments, of the tensors that this process writes, one behind the other, and the state
 * buffers.
 *
 * <p>Allocated once and filled again for each save. Owns its tensors.
 */
final class TrainingSnapshot implements AutoCloseable {
  private final ModelConfig config;
  private final int predictionDepth;
  private final StateLayout layout;
  private final List<StateShare> shares;
  private final StateShare own;
  private final Map<String, CheckpointTensor> places;
  private final Tensor master;
  private final Tensor firstMoment;
  private final Tensor secondMoment;
  private final Map<String, Tensor> buffers = new LinkedHashMap<>();

  /** Memory for a process's share of the states of models like this one. */
  TrainingSnapshot(LanguageModel model, ProcessShare share) {
    config = model.config();
    predictionDepth = model.predictionDepth();
    layout = StateLayout.of(config, predictionDepth);
    shares = StateShare.of(layout, share.processes());
    own = shares.get(share.process());
    places = own.places();
    Dtype dtype = model.parameters().wideDtype();
    try (Scope _ = Scope.open(MemoryOwner.SNAPSHOT)) {
      master = Tensors.empty(dtype, Device.CPU, own.length());
      firstMoment = Tensors.empty(dtype, Device.CPU, own.length());
      secondMoment = Tensors.empty(dtype, Device.CPU, own.length());
      own.buffers().forEach((name, n) -> buffers.put(name, Tensors.empty(dtype, Device.CPU, n)));
      // Only when all are allocated do they leave the scope, which frees them otherwise.
      Scope.detach(master);
      Scope.detach(firstMoment);
      Scope.detach(secondMoment);
      buffers.values().forEach(Scope::detach);
    }
  }

  /**
   * Copies what this rank has of the process's share. Waits for the GPU. What several ranks have,
   * the first of them copies.
   */
  void fill(LanguageModel model, ShardedOptimizer optimizer) {
    if (optimizer.isFirstOfStage()) {
      for (StateBuffer buffer : model.buffers()) {
        if (own.buffers().containsKey(buffer.checkpointName())) {
          Copies.into(buffer(buffer.checkpointName()), buffer.value());
        }
      }
    }
    for (StateSlice slice : optimizer.slices()) {
      if (slice.isCounted()) {
        AdamW states = slice.states();
        for (SlicePiece piece : SlicePiece.of(slice)) {
          String name = piece.parameter().name();
          long columns = piece.portion().columns();
          StateShare.Rows rows = rows(name, piece.portion());
          if (rows.count() > 0) {
            in(master, rows, columns, into -> piece.give(states.master(), into, rows.first()));
            in(
                firstMoment,
                rows,
                columns,
                into -> piece.give(states.firstMoment(), into, rows.first()));
            in(
                secondMoment,
                rows,
                columns,
                into -> piece.give(states.secondMoment(), into, rows.first()));
          }
        }
      }
    }
  }

  /** The rows of a weight that are here. */
  StateShare.Rows rows(String weight, Portion portion) {
    return own.rowsOf(layout.startOf(weight), portion.rows(), portion.columns());
  }

  /** Lends some rows of one of the states, {@code [count, columns]}. */
  static void in(Tensor flat, StateShare.Rows rows, long columns, Consumer<Tensor> use) {
    try (Tensor place = Views.narrow(flat, 0, rows.place(), rows.count() * columns);
        Tensor matrix = Views.reshape(place, rows.count(), columns)) {
      use.accept(matrix);
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

  /** The shares of all processes. */
  List<StateShare> shares() {
    return shares;
  }

  /** One of the tensors that are here, of one of the states. */
  Tensor part(String name, Tensor flat) {
    CheckpointTensor place = places.get(name);
    if (place == null) {
      throw new IllegalStateException("no tensor " + name + " in this snapshot");
    }
    return Views.narrow(flat, 0, place.offset(), place.elements());
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

  /** A state buffer that is here. */
  Tensor buffer(String name) {
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
