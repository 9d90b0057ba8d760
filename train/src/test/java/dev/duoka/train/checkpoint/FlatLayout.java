package dev.duoka.train.checkpoint;

import dev.duoka.engine.parameter.Bucket;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.weight.CheckpointTensor;
import dev.duoka.model.weight.Weight;
import dev.duoka.parallel.state.StateSlice;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where the tensors of a Hugging Face checkpoint lie when a model's buckets are laid one behind the
 * other.
 *
 * @param length of all buckets, in elements
 * @param starts where each bucket starts, in the order of the store
 * @param tensors by their names in the checkpoint; {@code offset} counts from the first bucket
 */
record FlatLayout(long length, List<Long> starts, Map<String, CheckpointTensor> tensors) {
  static FlatLayout of(LanguageModel model) {
    IdentityHashMap<Bucket, Long> startOf = new IdentityHashMap<>();
    List<Long> starts = new ArrayList<>();
    long length = 0;
    for (Bucket bucket : model.parameters().buckets()) {
      startOf.put(bucket, length);
      starts.add(length);
      length += bucket.length();
    }
    Map<String, CheckpointTensor> tensors = new LinkedHashMap<>();
    for (Weight weight : model.weights()) {
      Parameter parameter = weight.parameter();
      long start = startOf.getOrDefault(parameter.bucket(), 0L) + parameter.offset();
      for (CheckpointTensor tensor : weight.checkpointTensors()) {
        tensors.put(
            tensor.name(),
            new CheckpointTensor(tensor.name(), start + tensor.offset(), tensor.shape()));
      }
    }
    return new FlatLayout(length, List.copyOf(starts), tensors);
  }

  /** Where an optimizer's slice number {@code index} starts. */
  long startOf(List<StateSlice> slices, int index) {
    return starts.get(index) + slices.get(index).offset();
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
