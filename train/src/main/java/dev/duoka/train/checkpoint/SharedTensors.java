package dev.duoka.train.checkpoint;

import dev.duoka.base.Resources;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.model.weight.CheckpointTensor;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.PageLockedTensor;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Memory of the host for a process's share of some weights: one flat tensor for each state that
 * they have, all laid out alike. Owns them.
 */
final class SharedTensors implements AutoCloseable {
  private final StateLayout layout;
  private final List<StateShare> shares;
  private final StateShare own;
  private final Map<String, CheckpointTensor> places;
  private final List<PageLockedTensor> memory;
  private final List<Tensor> states;
  private final Resources owned;

  /**
   * Allocates them, with nothing in them.
   *
   * @param layout of all weights
   * @param states how many each weight has
   */
  SharedTensors(StateLayout layout, ProcessShare share, Dtype dtype, int states) {
    this.layout = layout;
    shares = StateShare.of(layout, share.processes());
    own = shares.get(share.process());
    places = own.places();
    List<PageLockedTensor> all = new ArrayList<>();
    try (Resources made = new Resources()) {
      for (int i = 0; i < states; i++) {
        all.add(made.own(new PageLockedTensor(dtype, own.length(), MemoryOwner.SNAPSHOT)));
      }
      owned = made.release();
    }
    this.memory = List.copyOf(all);
    this.states = memory.stream().map(PageLockedTensor::values).toList();
  }

  /** What locks the memory, in pieces ({@link PageLockedTensor#locks}). */
  List<Runnable> locks(Device device) {
    return memory.stream().flatMap(it -> it.locks(device).stream()).toList();
  }

  StateLayout layout() {
    return layout;
  }

  /** The shares of all processes. */
  List<StateShare> shares() {
    return shares;
  }

  /** The share of this process. */
  StateShare own() {
    return own;
  }

  /** The states, {@code [length]} of the share. */
  List<Tensor> states() {
    return states;
  }

  /** One of the tensors that are here, of one of the states. */
  Tensor part(String name, int state) {
    CheckpointTensor place = places.get(name);
    if (place == null) {
      throw new IllegalStateException("no tensor " + name + " in this snapshot");
    }
    return Views.narrow(states.get(state), 0, place.offset(), place.elements());
  }

  /** Whether a tensor is here. */
  boolean has(String name) {
    return places.containsKey(name);
  }

  /** The rows of a weight that are here. */
  StateShare.Rows rows(String weight, Portion portion) {
    return own.rowsOf(layout.startOf(weight), portion.rows(), portion.columns());
  }

  /** Lends some rows of one of the states, {@code [count, columns]}. */
  static void in(Tensor state, StateShare.Rows rows, long columns, Consumer<Tensor> use) {
    try (Tensor place = Views.narrow(state, 0, rows.place(), rows.count() * columns);
        Tensor matrix = Views.reshape(place, rows.count(), columns)) {
      use.accept(matrix);
    }
  }

  @Override
  public void close() {
    owned.close();
  }
}
