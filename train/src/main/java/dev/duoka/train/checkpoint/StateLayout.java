package dev.duoka.train.checkpoint;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.weight.CheckpointTensor;
import dev.duoka.model.weight.StateBuffer;
import dev.duoka.model.weight.Weight;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where the weights of a whole model that are trained, or those that are not, lie when they are
 * laid one behind the other, however the ranks of a run have them.
 *
 * @param length of all weights, in elements
 * @param starts where each weight starts, by its name in the model
 * @param tensors by their names in a checkpoint; {@code offset} counts from the first weight
 * @param buffers the lengths of state buffers, by their names in a checkpoint
 */
record StateLayout(
    long length,
    Map<String, Long> starts,
    Map<String, CheckpointTensor> tensors,
    Map<String, Long> buffers) {
  /** Of the weights that are trained, with the state buffers. */
  static StateLayout of(ModelConfig config, int predictionDepth) {
    return of(config, predictionDepth, true);
  }

  /**
   * Of the weights that are frozen: none beside an adapter, whose checkpoints name their base
   * instead.
   */
  static StateLayout ofFrozen(ModelConfig config, int predictionDepth) {
    return config.adapter() == null
        ? of(config, predictionDepth, false)
        : new StateLayout(0, Map.of(), Map.of(), Map.of());
  }

  private static StateLayout of(ModelConfig config, int predictionDepth, boolean trained) {
    ModelFactory.Declared declared = ModelFactory.declared(config, predictionDepth);
    Map<String, Long> starts = new LinkedHashMap<>();
    Map<String, CheckpointTensor> tensors = new LinkedHashMap<>();
    long length = 0;
    for (Weight weight : declared.weights()) {
      if (weight.spec().trainable() != trained) {
        continue;
      }
      starts.put(weight.spec().name(), length);
      for (CheckpointTensor tensor : weight.checkpointTensors()) {
        tensors.put(
            tensor.name(),
            new CheckpointTensor(tensor.name(), length + tensor.offset(), tensor.shape()));
      }
      length += weight.spec().elements();
    }
    Map<String, Long> buffers = new LinkedHashMap<>();
    if (trained && config.adapter() == null) { // those of a base are as frozen as its weights
      for (StateBuffer buffer : declared.buffers()) {
        buffers.put(buffer.checkpointName(), buffer.length());
      }
    }
    return new StateLayout(length, starts, tensors, buffers);
  }

  /** Where a weight starts. */
  long startOf(String weight) {
    Long start = starts.get(weight);
    if (start == null) {
      throw new IllegalStateException("no weight " + weight + " in this layout");
    }
    return start;
  }

  /** The tensors in the order of the weights. */
  List<CheckpointTensor> inOrder() {
    return new ArrayList<>(tensors.values());
  }
}
