package dev.duoka.train.export;

import dev.duoka.base.Progress;
import dev.duoka.base.Resources;
import dev.duoka.engine.parameter.BucketKey;
import dev.duoka.engine.parameter.Residency;
import dev.duoka.engine.parameter.UpdateFactors;
import dev.duoka.formats.safetensors.StoredDtype;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.layout.GradientForm;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.adapter.MergedWeight;
import dev.duoka.model.weight.BlockRange;
import dev.duoka.model.weight.CheckpointTensor;
import dev.duoka.model.weight.CheckpointWeights;
import dev.duoka.model.weight.Weight;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.train.checkpoint.StoredModel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The tensors of a base with an adapter in them, of a base that a seed drew, too. Of a base that
 * was kept in 4 bits they are the numbers that these stand for, and what the adapter adds. Holds
 * the weights of one block of the model at a time, in fp32 and in host memory, and those of it that
 * were asked for, merged.
 */
final class MergedSource implements WeightSource, AutoCloseable {
  /** Which weight a tensor is of, and where it lies there. */
  private record Place(Weight weight, CheckpointTensor tensor) {}

  private final StoredModel stored;
  private final Map<String, Place> changed = new HashMap<>();
  private final Map<String, Tensor> merged = new HashMap<>();
  private final List<TensorEntry> tensors;
  private @Nullable LanguageModel block;

  MergedSource(StoredModel stored) {
    this.stored = stored;
    ModelFactory.Declared declared = ModelFactory.declared(stored.config(), 0);
    this.tensors = stored.base().map(CheckpointWeights::tensors).orElseGet(() -> drawn(declared));
    for (Weight weight : declared.weights()) {
      boolean read = stored.base().isPresent();
      boolean whole = weight.spec().trainable() && !weight.isAdapter();
      boolean fourBits = weight.spec().nf4() != null;
      if (whole || fourBits || weight.adaptedBy() != null || !(read || weight.isAdapter())) {
        weight
            .checkpointTensors()
            .forEach(tensor -> changed.put(tensor.name(), new Place(weight, tensor)));
      }
    }
  }

  @Override
  public List<TensorEntry> tensors() {
    return tensors;
  }

  @Override
  public long bytes(TensorEntry entry) {
    return stored.base().map(it -> it.bytes(entry)).orElse(entry.byteLength());
  }

  @Override
  public Tensor read(TensorEntry entry) {
    Place place = changed.get(entry.name());
    if (place == null) {
      return stored.base().map(it -> it.read(entry)).orElseGet(() -> zeros(entry));
    }
    Tensor whole = merged(place.weight());
    long[] shape = place.tensor().shape().stream().mapToLong(Long::longValue).toArray();
    return Views.slice(Views.reshape(whole, -1), place.tensor().offset(), shape);
  }

  /** What a base that a seed drew consists of, in fp32. */
  private static List<TensorEntry> drawn(ModelFactory.Declared declared) {
    List<TensorEntry> all = new ArrayList<>();
    declared.weights().stream()
        .filter(weight -> !weight.isAdapter())
        .flatMap(weight -> weight.checkpointTensors().stream())
        .forEach(tensor -> all.add(entry(tensor.name(), tensor.shape(), tensor.elements())));
    declared
        .buffers()
        .forEach(it -> all.add(entry(it.checkpointName(), List.of(it.length()), it.length())));
    return all;
  }

  private static TensorEntry entry(String name, List<Long> shape, long elements) {
    return new TensorEntry(name, StoredDtype.F32, shape, 0, elements * Dtype.FLOAT32.bytes());
  }

  /** State that no gradient changes starts at zero, and stays there beside an adapter. */
  private static Tensor zeros(TensorEntry entry) {
    return Tensors.zeros(Dtype.FLOAT32, Device.CPU, entry.shape().getFirst());
  }

  private Tensor merged(Weight weight) {
    LanguageModel model = model(weight.spec().block());
    return merged.computeIfAbsent(
        weight.spec().name(),
        name -> {
          try (Scope _ = Scope.open(MemoryOwner.WEIGHTS)) {
            return Scope.detach(
                MergedWeight.of(
                    model.weights().stream()
                        .filter(it -> it.spec().name().equals(name))
                        .findFirst()
                        .orElseThrow()));
          }
        });
  }

  private LanguageModel model(int number) {
    LanguageModel here = block;
    if (here != null && here.held().getFirst().contains(number)) {
      return here;
    }
    close();
    ModelFactory.Part part =
        new ModelFactory.Part(
            List.of(new BlockRange(number, number + 1)),
            UnaryOperator.identity(),
            _ -> BucketKey.ONE_GROUP,
            _ -> 1,
            _ -> Residency.ALL,
            GradientForm.FP32,
            _ -> UpdateFactors.ONE,
            IntUnaryOperator.identity());
    try (Resources made = new Resources()) {
      LanguageModel model =
          made.own(
              ModelFactory.create(
                  stored.config(),
                  new ModelFactory.Allocation(Dtype.FLOAT32, Device.CPU, false, 1, 0, part)));
      stored.read(model, Progress.NONE);
      made.release();
      block = model;
      return model;
    }
  }

  @Override
  public void close() {
    merged.values().forEach(Tensor::close);
    merged.clear();
    if (block != null) {
      block.close();
      block = null;
    }
  }
}
