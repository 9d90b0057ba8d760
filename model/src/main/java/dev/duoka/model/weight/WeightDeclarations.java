package dev.duoka.model.weight;

import dev.duoka.engine.parameter.Initializer;
import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.engine.parameter.ParameterStore;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import java.util.ArrayList;
import java.util.List;

/**
 * Collects the weights that the layers of a model declare, in the order of the forward pass, so
 * that the engine can lay all of them into flat buffers.
 */
public final class WeightDeclarations {
  private final double standardDeviation;
  private final List<Weight> weights = new ArrayList<>();
  private final List<StateBuffer> buffers = new ArrayList<>();

  /** Declarations whose matrices start normally distributed with this standard deviation. */
  public WeightDeclarations(double standardDeviation) {
    this.standardDeviation = standardDeviation;
  }

  /** A matrix {@code [rows, columns]} that is one tensor of the checkpoint. */
  public Weight matrix(String checkpointName, long rows, long columns) {
    return stackedRows(checkpointName, columns, new Rows(checkpointName, rows));
  }

  /** Rows of a matrix that are a tensor of their own in the checkpoint. */
  public record Rows(String checkpointName, long count) {}

  /**
   * A matrix that is made of several tensors of the checkpoint, one below the other.
   *
   * @param name our name of the whole
   */
  public Weight stackedRows(String name, long columns, Rows... parts) {
    List<CheckpointTensor> tensors = new ArrayList<>();
    long rows = 0;
    for (Rows part : parts) {
      tensors.add(
          new CheckpointTensor(
              part.checkpointName(), rows * columns, List.of(part.count(), columns)));
      rows += part.count();
    }
    return add(
        new ParameterSpec(name, List.of(rows, columns), new Initializer.Normal(standardDeviation)),
        tensors);
  }

  /**
   * One matrix per expert, {@code [experts, rows, columns]}, each made of tensors of the checkpoint
   * whose names have the expert's number in place of {@code %d}.
   */
  public Weight experts(String name, int experts, long columns, Rows... parts) {
    List<CheckpointTensor> tensors = new ArrayList<>();
    long offset = 0;
    long rows = 0;
    for (Rows part : parts) {
      rows += part.count();
    }
    for (int expert = 0; expert < experts; expert++) {
      for (Rows part : parts) {
        tensors.add(
            new CheckpointTensor(
                part.checkpointName().replace("%d", Integer.toString(expert)),
                offset,
                List.of(part.count(), columns)));
        offset += part.count() * columns;
      }
    }
    return add(
        new ParameterSpec(
            name,
            List.of((long) experts, rows, columns),
            new Initializer.Normal(standardDeviation)),
        tensors);
  }

  /** The scale of a norm, {@code [width]}, ones at the start. */
  public Weight scale(String checkpointName, long width) {
    return add(
        new ParameterSpec(checkpointName, List.of(width), new Initializer.Constant(1)),
        List.of(new CheckpointTensor(checkpointName, 0, List.of(width))));
  }

  /** State that no gradient changes. */
  public StateBuffer buffer(String checkpointName, long length) {
    StateBuffer buffer = new StateBuffer(checkpointName, length);
    buffers.add(buffer);
    return buffer;
  }

  /** Everything declared so far. */
  public List<Weight> weights() {
    return List.copyOf(weights);
  }

  /** All state buffers declared so far. */
  public List<StateBuffer> buffers() {
    return List.copyOf(buffers);
  }

  /** Allocates all weights and buffers. The caller owns the store, and closes the buffers too. */
  public ParameterStore allocate(Dtype dtype, Device device, int shards, boolean withGradients) {
    ParameterStore store =
        new ParameterStore(
            weights.stream().map(Weight::spec).toList(), dtype, device, shards, withGradients);
    for (Weight weight : weights) {
      weight.bind(store.parameter(weight.spec().name()));
    }
    Dtype stateDtype = dtype == Dtype.FLOAT64 ? Dtype.FLOAT64 : Dtype.FLOAT32;
    buffers.forEach(buffer -> buffer.allocate(stateDtype, device));
    return store;
  }

  /** Frees the state buffers. */
  public void closeBuffers() {
    buffers.forEach(StateBuffer::close);
  }

  private Weight add(ParameterSpec spec, List<CheckpointTensor> tensors) {
    Weight weight = new Weight(spec, tensors);
    weights.add(weight);
    return weight;
  }
}
