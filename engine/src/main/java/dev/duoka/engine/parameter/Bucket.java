package dev.duoka.engine.parameter;

import dev.duoka.layout.GradientForm;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The weights of one block, or of some neighbours, that are treated alike, in one flat buffer of
 * values and, for training, one of main gradients: few launches for the optimizer, large
 * collectives, and a shard that is a plain slice.
 *
 * <p>Each parameter starts at a multiple of {@value ParameterStore#ALIGNMENT} elements; the length
 * is a multiple of that times the number of shards. What lies between is zero. Belongs to its
 * {@link ParameterStore}. Weights in 4 bits ({@link Nf4Form}) have buckets of their own, whose
 * elements are bytes.
 */
public final class Bucket {
  private final BucketKey key;
  private final String weights;
  private final int lastBlock;
  private final Device device;
  private final long length;
  private final int shards;
  private final Dtype gradientDtype;
  private final List<Parameter> parameters = new ArrayList<>();
  private final Buffer values;
  private final @Nullable Buffer gradients;

  Bucket(
      ParameterStore store,
      BucketKey key,
      List<ParameterSpec> specs,
      Device device,
      int shards,
      Residency residency,
      GradientForm form) {
    this.key = key;
    this.weights = named(specs);
    this.lastBlock = specs.getLast().block();
    this.gradientDtype = gradientDtype(key.dtype(), form);
    this.device = device;
    this.shards = shards;
    long elements = 0;
    for (ParameterSpec spec : specs) {
      elements += aligned(spec.stored(), ParameterStore.ALIGNMENT);
    }
    length = aligned(elements, (long) ParameterStore.ALIGNMENT * shards);
    values = new Buffer("values");
    gradients = key.trainable() ? new Buffer("gradients") : null;
    // Detached together at the end, so that running out of memory on the second frees the first.
    try (Scope _ = Scope.open()) {
      Tensor flatValues = residency.keepsValues() ? flat(MemoryOwner.WEIGHTS, key.dtype()) : null;
      Tensor flatGradients =
          gradients != null && residency.keepsGradients()
              ? flat(MemoryOwner.GRADIENTS, gradientDtype)
              : null;
      if (flatValues != null) {
        values.own(Scope.detach(flatValues));
      }
      if (flatGradients != null && gradients != null) {
        gradients.own(Scope.detach(flatGradients));
      }
    }
    long offset = 0;
    for (ParameterSpec spec : specs) {
      parameters.add(new Parameter(store, this, spec, offset));
      offset += aligned(spec.stored(), ParameterStore.ALIGNMENT);
    }
    values.bind();
    if (gradients != null) {
      gradients.bind();
    }
  }

  private static Dtype gradientDtype(Dtype values, GradientForm form) {
    return switch (values) {
      case FLOAT64 -> Dtype.FLOAT64;
      case BFLOAT16 -> form == GradientForm.BF16 ? Dtype.BFLOAT16 : Dtype.FLOAT32;
      default -> Dtype.FLOAT32;
    };
  }

  /** The dtype of main gradients: fp32, the values' where that is wider, or bf16 if wanted so. */
  public Dtype gradientDtype() {
    return gradientDtype;
  }

  /** What its weights have in common. */
  public BucketKey key() {
    return key;
  }

  /** Its parameters, in the order of the buffers. */
  public List<Parameter> parameters() {
    return List.copyOf(parameters);
  }

  /**
   * The flat values, {@code [length]} in the compute dtype, or the bytes of weights in 4 bits;
   * asked for where they are not here.
   */
  public Tensor values() {
    return values.flat();
  }

  /** The flat main gradients, {@code [length]}; asked for where they are not here. */
  public Tensor gradients() {
    if (gradients == null) {
      throw new IllegalStateException("this store was made without gradients");
    }
    return gradients.flat();
  }

  /**
   * Asks {@code source} for the flat values whenever they are wanted and not here. It keeps the
   * tensor's ownership, and takes it back after {@link #releaseValues}.
   */
  public void valuesFrom(Supplier<Tensor> source) {
    values.source = source;
  }

  /** Whether the values are here. */
  public boolean hasValues() {
    return values.flat != null;
  }

  /** Forgets the values, which their source has elsewhere. */
  public void releaseValues() {
    parameters.forEach(Parameter::releaseScaled);
    values.release();
  }

  /**
   * Has the source asked again by whoever uses the values next. What they are in 8 bits keeps its
   * memory, and is made anew.
   */
  public void awaitValues() {
    values.release();
  }

  /** As {@link #valuesFrom}, of the gradients: what the source gives counts as zero. */
  public void gradientsFrom(Supplier<Tensor> source) {
    if (gradients != null) {
      gradients.source = source;
    }
  }

  /** Whether the gradients are here. */
  public boolean hasGradients() {
    return gradients != null && gradients.flat != null;
  }

  /** Forgets the gradients, which have been added elsewhere. */
  public void releaseGradients() {
    if (gradients != null) {
      gradients.release();
    }
  }

  /** The length of the flat buffers in elements, padding included. */
  public long length() {
    return length;
  }

  /** The device of the buffers. */
  public Device device() {
    return device;
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
    parameters.forEach(Parameter::releaseScaled);
    values.close();
    if (gradients != null) {
      gradients.close();
    }
  }

  private Tensor flat(MemoryOwner owner, Dtype dtype) {
    try (Scope scope = Scope.open(owner)) {
      return scope.keep(Tensors.zeros(dtype, device, length));
    }
  }

  /** A flat buffer with the parameters' views of it, while it is here. */
  private final class Buffer {
    private final String what;
    private @Nullable Tensor flat;
    private boolean owned;
    private @Nullable Supplier<Tensor> source;

    Buffer(String what) {
      this.what = what;
    }

    void own(Tensor tensor) {
      flat = tensor;
      owned = true;
    }

    Tensor flat() {
      Tensor here = flat;
      if (here == null) {
        Supplier<Tensor> from = source;
        if (from == null) {
          throw new IllegalStateException("the " + what + " of " + Bucket.this + " are elsewhere");
        }
        here = from.get();
        flat = here;
        bind();
      }
      return here;
    }

    /** Gives each parameter its view. */
    void bind() {
      Tensor here = flat;
      if (here == null) {
        return;
      }
      for (Parameter parameter : parameters) {
        Tensor view = Scope.detach(Views.slice(here, parameter.offset(), parameter.storedShape()));
        if (this == values) {
          parameter.bindValue(view);
        } else {
          parameter.bindGradient(view);
        }
      }
    }

    void release() {
      for (Parameter parameter : parameters) {
        if (this == values) {
          parameter.bindValue(null);
        } else {
          parameter.bindGradient(null);
        }
      }
      flat = null;
    }

    void close() {
      Tensor here = flat;
      release();
      if (here != null && owned) {
        here.close();
      }
    }
  }

  private static long aligned(long value, long multiple) {
    return (value + multiple - 1) / multiple * multiple;
  }

  /**
   * What the names of its weights have in common, for example {@code model.layers.3}, or {@code
   * model.layers.3 to 4} of several blocks; the first one's where that is nothing.
   */
  public String weights() {
    return weights;
  }

  private static String named(List<ParameterSpec> specs) {
    String first = common(specs, specs.getFirst().block());
    String last = common(specs, specs.getLast().block());
    if (first.equals(last)) {
      return first;
    }
    int from = 0;
    for (int i = 0; i < Math.min(first.length(), last.length()); i++) {
      if (first.charAt(i) != last.charAt(i)) {
        break;
      }
      from = first.charAt(i) == '.' ? i + 1 : from;
    }
    int dot = last.indexOf('.', from);
    return first + " to " + last.substring(from, dot < 0 ? last.length() : dot);
  }

  /** What the names of a block's weights have in common. */
  private static String common(List<ParameterSpec> specs, int block) {
    List<String> names =
        specs.stream().filter(it -> it.block() == block).map(ParameterSpec::name).toList();
    String common = names.getFirst();
    for (String name : names) {
      while (!common.isEmpty() && !(name + ".").startsWith(common + ".")) {
        common = common.substring(0, Math.max(0, common.lastIndexOf('.')));
      }
    }
    return common.isEmpty() || common.equals("model") ? names.getFirst() : common;
  }

  /** For example {@code block 3, all}, or {@code blocks 3 to 4, all}. */
  @Override
  public String toString() {
    String blocks =
        lastBlock == key.block()
            ? "block " + lastBlock
            : "blocks " + key.block() + " to " + lastBlock;
    return blocks + ", " + key.group();
  }
}
