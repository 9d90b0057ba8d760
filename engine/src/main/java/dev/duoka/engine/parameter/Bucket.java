package dev.duoka.engine.parameter;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The weights of one block that are treated alike, in one flat buffer of values and, for training,
 * one of main gradients: few launches for the optimizer, large collectives, and a shard that is a
 * plain slice.
 *
 * <p>Each parameter starts at a multiple of {@value ParameterStore#ALIGNMENT} elements; the length
 * is a multiple of that times the number of shards. What lies between is zero. Belongs to its
 * {@link ParameterStore}.
 */
public final class Bucket {
  private final BucketKey key;
  private final List<Parameter> parameters = new ArrayList<>();
  private final List<Tensor> views = new ArrayList<>();
  private final Tensor values;
  private final @Nullable Tensor gradients;
  private final int shards;

  Bucket(
      ParameterStore store, BucketKey key, List<ParameterSpec> specs, Device device, int shards) {
    this.key = key;
    this.shards = shards;
    long length = 0;
    for (ParameterSpec spec : specs) {
      length += aligned(spec.elements(), ParameterStore.ALIGNMENT);
    }
    length = aligned(length, (long) ParameterStore.ALIGNMENT * shards);
    // Detached together at the end, so that running out of memory on the second frees the first.
    try (Scope _ = Scope.open()) {
      Tensor flatValues = flat(MemoryOwner.WEIGHTS, key.dtype(), device, length);
      Tensor flatGradients =
          key.trainable()
              ? flat(MemoryOwner.GRADIENTS, gradientDtype(key.dtype()), device, length)
              : null;
      values = Scope.detach(flatValues);
      gradients = flatGradients == null ? null : Scope.detach(flatGradients);
    }
    long offset = 0;
    for (ParameterSpec spec : specs) {
      Tensor value = view(values, offset, spec);
      Tensor gradient = gradients == null ? null : view(gradients, offset, spec);
      parameters.add(new Parameter(store, this, spec, offset, value, gradient));
      offset += aligned(spec.elements(), ParameterStore.ALIGNMENT);
    }
  }

  /** The dtype of main gradients: fp32, or the values' where that is wider. */
  public static Dtype gradientDtype(Dtype values) {
    return values == Dtype.FLOAT64 ? Dtype.FLOAT64 : Dtype.FLOAT32;
  }

  /** What its weights have in common. */
  public BucketKey key() {
    return key;
  }

  /** Its parameters, in the order of the buffers. */
  public List<Parameter> parameters() {
    return List.copyOf(parameters);
  }

  /** The flat values, {@code [length]} in the compute dtype. */
  public Tensor values() {
    return values;
  }

  /** The flat main gradients, {@code [length]}. */
  public Tensor gradients() {
    if (gradients == null) {
      throw new IllegalStateException("this store was made without gradients");
    }
    return gradients;
  }

  /** The length of the flat buffers in elements, padding included. */
  public long length() {
    return values.size(0);
  }

  /** How many shards the buffers divide into. */
  public int shards() {
    return shards;
  }

  /** The length of one shard in elements. */
  public long shardLength() {
    return length() / shards;
  }

  /** Zeroes the gradients that nothing was added to: before a reduction or an update reads all. */
  public void zeroUntouchedGradients() {
    for (Parameter parameter : parameters) {
      if (parameter.gradientIsFresh()) {
        Tensors.zero(parameter.gradient());
      }
    }
  }

  void close() {
    parameters.forEach(Parameter::close);
    views.forEach(Tensor::close);
    values.close();
    if (gradients != null) {
      gradients.close();
    }
  }

  private Tensor view(Tensor flat, long offset, ParameterSpec spec) {
    Tensor view = Scope.detach(Views.slice(flat, offset, spec.shapeArray()));
    views.add(view);
    return view;
  }

  private static Tensor flat(MemoryOwner owner, Dtype dtype, Device device, long length) {
    try (Scope scope = Scope.open(owner)) {
      return scope.keep(Tensors.zeros(dtype, device, length));
    }
  }

  private static long aligned(long value, long multiple) {
    return (value + multiple - 1) / multiple * multiple;
  }

  /** For example {@code block 3, all}. */
  @Override
  public String toString() {
    return "block " + key.block() + ", " + key.group();
  }
}
