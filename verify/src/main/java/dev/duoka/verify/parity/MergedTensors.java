package dev.duoka.verify.parity;

import dev.duoka.model.LanguageModel;
import dev.duoka.model.adapter.MergedWeight;
import dev.duoka.model.weight.CheckpointTensor;
import dev.duoka.model.weight.Weight;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.op.HostCopy;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Weights of a model with their adapters in them, by the checkpoint's names.
 *
 * @param tensors flat
 */
record MergedTensors(Map<String, double[]> tensors) {
  static final MergedTensors NONE = new MergedTensors(Map.of());

  /** Those of a model with an adapter; none of another. */
  static MergedTensors of(LanguageModel model) {
    if (model.config().adapter() == null) {
      return NONE;
    }
    Map<String, double[]> tensors = new HashMap<>();
    for (Weight weight : model.baseWeights()) {
      try (Scope _ = Scope.open()) {
        double[] whole = HostCopy.doubles(MergedWeight.of(weight));
        for (CheckpointTensor tensor : weight.checkpointTensors()) {
          int start = Math.toIntExact(tensor.offset());
          tensors.put(
              tensor.name(),
              Arrays.copyOfRange(whole, start, start + Math.toIntExact(tensor.elements())));
        }
        tensors.put(weight.spec().name(), whole);
      }
    }
    return new MergedTensors(tensors);
  }

  boolean isEmpty() {
    return tensors.isEmpty();
  }

  double[] of(String name, ExpectedTensors expected) {
    double[] values = tensors.get(name);
    if (values == null) {
      throw expected.wrong(
          "it expects the merged " + name + ", which this model does not have",
          "Check that the base belongs to expect.safetensors");
    }
    return values;
  }
}
