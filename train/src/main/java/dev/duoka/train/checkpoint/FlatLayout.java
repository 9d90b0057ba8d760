package dev.duoka.train.checkpoint;

import dev.duoka.model.LanguageModel;
import dev.duoka.model.weight.CheckpointTensor;
import dev.duoka.model.weight.Weight;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where the tensors of a Hugging Face checkpoint lie in a model's flat buffers.
 *
 * @param length of the flat buffers, in elements
 * @param tensors by their names in the checkpoint; {@code offset} counts from the buffers' start
 */
record FlatLayout(long length, Map<String, CheckpointTensor> tensors) {
  static FlatLayout of(LanguageModel model) {
    Map<String, CheckpointTensor> tensors = new LinkedHashMap<>();
    for (Weight weight : model.weights()) {
      long start = weight.parameter().offset();
      for (CheckpointTensor tensor : weight.checkpointTensors()) {
        tensors.put(
            tensor.name(),
            new CheckpointTensor(tensor.name(), start + tensor.offset(), tensor.shape()));
      }
    }
    return new FlatLayout(model.parameters().length(), tensors);
  }

  /** The tensors in the order of the buffers. */
  List<CheckpointTensor> inOrder() {
    return new ArrayList<>(tensors.values());
  }

  /** The tensor of this name, which must be there. */
  CheckpointTensor tensor(String name) {
    CheckpointTensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new IllegalStateException("no tensor " + name + " in this layout");
    }
    return tensor;
  }
}
