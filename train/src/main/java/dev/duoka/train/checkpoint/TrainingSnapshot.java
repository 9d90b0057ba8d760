package dev.duoka.train.checkpoint;

import dev.duoka.comm.Communicator;
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
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A copy of a training state in host memory that the ranks of a process fill together: master
 * weights and both moments, the model's buckets one behind the other, and the state buffers.
 *
 * <p>Allocated once and filled again for each save. Owns its tensors.
 */
final class TrainingSnapshot implements AutoCloseable {
  private final ModelConfig config;
  private final int predictionDepth;
  private final FlatLayout layout;
  private final Tensor master;
  private final Tensor firstMoment;
  private final Tensor secondMoment;
  private final Map<String, Tensor> buffers = new LinkedHashMap<>();

  /** Memory for states of models like this one. */
  TrainingSnapshot(LanguageModel model) {
    config = model.config();
    predictionDepth = model.predictionDepth();
    layout = FlatLayout.of(model);
    Dtype dtype = model.parameters().gradientDtype();
    try (Scope _ = Scope.open(MemoryOwner.SNAPSHOT)) {
      master = Tensors.empty(dtype, Device.CPU, layout.length());
      firstMoment = Tensors.empty(dtype, Device.CPU, layout.length());
      secondMoment = Tensors.empty(dtype, Device.CPU, layout.length());
      for (StateBuffer buffer : model.buffers()) {
        buffers.put(
            buffer.checkpointName(),
            Tensors.empty(buffer.value().dtype(), Device.CPU, buffer.length()));
      }
      // Only when all are allocated do they leave the scope, which frees them otherwise.
      Scope.detach(master);
      Scope.detach(firstMoment);
      Scope.detach(secondMoment);
      buffers.values().forEach(Scope::detach);
    }
  }

  /**
   * Copies this rank's part; complete when every rank has returned. Waits for the GPU. Where every
   * rank has the whole state, rank 0 copies it.
   */
  void fill(LanguageModel model, ShardedOptimizer optimizer, Communicator world) {
    if (world.rank() == 0) {
      for (StateBuffer buffer : model.buffers()) {
        Copies.into(buffer(buffer.checkpointName()), buffer.value());
      }
    }
    if (world.rank() == 0 || optimizer.isSharded()) {
      List<StateSlice> slices = optimizer.slices();
      for (int i = 0; i < slices.size(); i++) {
        AdamW states = slices.get(i).states();
        long start = layout.startOf(slices, i);
        copy(master, start, states.master());
        copy(firstMoment, start, states.firstMoment());
        copy(secondMoment, start, states.secondMoment());
      }
    }
  }

  private static void copy(Tensor flat, long offset, Tensor shard) {
    try (Tensor place = Views.narrow(flat, 0, offset, shard.elements())) {
      Copies.into(place, shard);
    }
  }

  ModelConfig config() {
    return config;
  }

  int predictionDepth() {
    return predictionDepth;
  }

  FlatLayout layout() {
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
