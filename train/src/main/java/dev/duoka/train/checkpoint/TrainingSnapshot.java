package dev.duoka.train.checkpoint;

import dev.duoka.base.Resources;
import dev.duoka.engine.optimizer.AdamW;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.weight.StateBuffer;
import dev.duoka.parallel.state.FrozenSlice;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.parallel.state.StateSlice;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostTransfer;
import dev.duoka.tensor.op.RowCopy;
import dev.duoka.tensor.op.Tensors;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A copy of a training state in host memory that the ranks of a run fill together: master weights
 * and both moments, of the tensors that this process writes, one behind the other, the values of
 * frozen weights, and the state buffers.
 *
 * <p>Allocated once and filled again for each save. Owns its tensors.
 */
final class TrainingSnapshot implements AutoCloseable {
  /** The number of the master weights among the states. */
  static final int MASTER = 0;

  /** Likewise of the first moment. */
  static final int FIRST_MOMENT = 1;

  /** Likewise of the second. */
  static final int SECOND_MOMENT = 2;

  private static final int STATES = 3;

  private final ModelConfig config;
  private final int predictionDepth;
  private final SharedTensors trained;
  private final SharedTensors frozen;
  private final Map<String, Tensor> buffers = new LinkedHashMap<>();
  private final Resources owned;

  /** Memory for a process's share of the states of models like this one. */
  TrainingSnapshot(LanguageModel model, ProcessShare share) {
    config = model.config();
    predictionDepth = model.predictionDepth();
    Dtype dtype = model.parameters().wideDtype();
    try (Resources made = new Resources()) {
      trained =
          made.own(
              new SharedTensors(StateLayout.of(config, predictionDepth), share, dtype, STATES));
      frozen =
          made.own(
              new SharedTensors(
                  StateLayout.ofFrozen(config, predictionDepth),
                  share,
                  model.parameters().dtype(),
                  1));
      try (Scope _ = Scope.open(MemoryOwner.SNAPSHOT)) {
        trained
            .own()
            .buffers()
            .forEach(
                (name, n) ->
                    buffers.put(name, made.own(Scope.detach(Tensors.empty(dtype, Device.CPU, n)))));
      }
      owned = made.release();
    }
  }

  /** What locks its memory, so that copies of a GPU's states wait for nobody; in pieces. */
  List<Runnable> locks(Device device) {
    return Stream.of(trained, frozen).flatMap(it -> it.locks(device).stream()).toList();
  }

  /**
   * Copies what this rank has of the process's share: launches copies of what is on a GPU, copies
   * the rest. What several ranks have, the first of them copies.
   *
   * @param transfer of this rank's device
   * @return when all of it is here; until then nobody may change the states
   */
  HostTransfer.Mark fill(LanguageModel model, ShardedOptimizer optimizer, HostTransfer transfer) {
    if (optimizer.isFirstOfStage()) {
      for (StateBuffer buffer : model.buffers()) {
        if (trained.own().buffers().containsKey(buffer.checkpointName())) {
          Copies.into(buffer(buffer.checkpointName()), buffer.value());
        }
      }
    }
    // Weights that the host has updated may be on their way: what this rank launches next waits for
    // them, not the copy's stream.
    optimizer.slices().stream().filter(StateSlice::isCounted).forEach(StateSlice::states);
    return transfer.rowsToHost(copy -> fill(optimizer, copy));
  }

  private void fill(ShardedOptimizer optimizer, RowCopy copy) {
    for (StateSlice slice : optimizer.slices()) {
      if (slice.isCounted()) {
        AdamW states = slice.states();
        for (SlicePiece piece : SlicePiece.of(slice)) {
          give(trained, MASTER, piece, (it, row) -> piece.give(states.master(), it, row, copy));
          give(
              trained,
              FIRST_MOMENT,
              piece,
              (it, row) -> piece.give(states.firstMoment(), it, row, copy));
          give(
              trained,
              SECOND_MOMENT,
              piece,
              (it, row) -> piece.give(states.secondMoment(), it, row, copy));
        }
      }
    }
    if (frozen.layout().length() > 0) {
      for (FrozenSlice slice : optimizer.frozen()) {
        if (slice.isCounted()) {
          for (SlicePiece piece : SlicePiece.of(slice)) {
            give(frozen, MASTER, piece, (it, row) -> piece.give(slice.values(), it, row, copy));
          }
        }
      }
    }
  }

  /** Copies into rows of a whole weight. */
  private interface Giver {
    void give(Tensor rows, long firstRow);
  }

  private static void give(SharedTensors into, int state, SlicePiece piece, Giver giver) {
    StateShare.Rows rows = into.rows(piece.parameter().name(), piece.portion());
    if (rows.count() > 0) {
      SharedTensors.in(
          into.states().get(state),
          rows,
          piece.portion().columns(),
          there -> giver.give(there, rows.first()));
    }
  }

  ModelConfig config() {
    return config;
  }

  int predictionDepth() {
    return predictionDepth;
  }

  /** The weights that are trained: the master weights and both moments. */
  SharedTensors trained() {
    return trained;
  }

  /** The frozen weights, which have one state: their values in the compute dtype. */
  SharedTensors frozen() {
    return frozen;
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
    owned.close();
  }
}
