package dev.duoka.engine.parameter;

import dev.duoka.base.NearestName;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * All weights of a model in flat buffers: one of values in the compute dtype and, for training, one
 * of main gradients. One buffer means one optimizer launch, large collectives, and a ZeRO shard
 * that is a plain slice.
 *
 * <p>Each parameter starts at a multiple of {@value #ALIGNMENT} elements; the buffers' length is a
 * multiple of {@code ALIGNMENT × shards}. Owns the buffers; close it when the model is done.
 */
public final class ParameterStore implements AutoCloseable {
  /** In elements: 256 bytes of bf16, what matrix products and vector loads like. */
  public static final int ALIGNMENT = 128;

  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  private final List<Tensor> views = new ArrayList<>();
  private final Tensor values;
  private final @Nullable Tensor gradients;
  private final int shards;
  private boolean multipliesScaled;
  private long version;

  /**
   * Allocates zeroed buffers for {@code specs}.
   *
   * @param shards the length is made divisible by this many equal, aligned shards
   * @param withGradients false for validation and generation
   */
  public ParameterStore(
      List<ParameterSpec> specs, Dtype dtype, Device device, int shards, boolean withGradients) {
    this.shards = shards;
    long length = 0;
    Set<String> names = new HashSet<>();
    for (ParameterSpec spec : specs) {
      if (!names.add(spec.name())) {
        throw new IllegalArgumentException("two parameters are named " + spec.name());
      }
      length += aligned(spec.elements(), ALIGNMENT);
    }
    length = aligned(length, (long) ALIGNMENT * shards);
    Dtype gradientDtype = dtype == Dtype.FLOAT64 ? Dtype.FLOAT64 : Dtype.FLOAT32;
    // Detached together at the end, so that running out of memory on the second frees the first.
    try (Scope _ = Scope.open()) {
      Tensor flatValues = flat(MemoryOwner.WEIGHTS, dtype, device, length);
      Tensor flatGradients =
          withGradients ? flat(MemoryOwner.GRADIENTS, gradientDtype, device, length) : null;
      values = Scope.detach(flatValues);
      gradients = flatGradients == null ? null : Scope.detach(flatGradients);
    }
    long offset = 0;
    for (ParameterSpec spec : specs) {
      Tensor value = view(values, offset, spec);
      Tensor gradient = gradients == null ? null : view(gradients, offset, spec);
      parameters.put(spec.name(), new Parameter(this, spec, offset, value, gradient));
      offset += aligned(spec.elements(), ALIGNMENT);
    }
  }

  /** Lets linear layers multiply in 8 bits from now on, where their sizes fit. */
  public void multiplyScaled() {
    multipliesScaled = true;
  }

  boolean multipliesScaled() {
    return multipliesScaled;
  }

  /** Says that the values were written to: what was derived from them is made anew. */
  public void valuesChanged() {
    version++;
  }

  long version() {
    return version;
  }

  /** The parameters in the order of the flat buffers. */
  public List<Parameter> parameters() {
    return List.copyOf(parameters.values());
  }

  /** The parameter with this name. */
  public Parameter parameter(String name) {
    Parameter parameter = parameters.get(name);
    if (parameter == null) {
      throw new IllegalArgumentException(
          "no parameter '" + name + "'. " + NearestName.hint(name, parameters.keySet()));
    }
    return parameter;
  }

  /** The number of weights, padding not counted. */
  public long elements() {
    return parameters.values().stream().mapToLong(p -> p.spec().elements()).sum();
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

  /** Starts new sums of gradients; a parameter that nothing is added to counts as zero. */
  public void resetGradients() {
    parameters.values().forEach(Parameter::resetGradient);
  }

  /** Zeroes the gradients that nothing was added to: before a reduction or an update reads all. */
  public void zeroUntouchedGradients() {
    for (Parameter parameter : parameters.values()) {
      if (parameter.gradientIsFresh()) {
        Tensors.zero(parameter.gradient());
      }
    }
  }

  @Override
  public void close() {
    parameters.values().forEach(Parameter::close);
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
}
