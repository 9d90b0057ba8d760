package dev.duoka.engine.parameter;

import dev.duoka.base.NearestName;
import dev.duoka.layout.GradientForm;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.IntUnaryOperator;
import java.util.function.ToIntFunction;

/**
 * All weights of a model, in flat buffers by {@link Bucket}: the values in the compute dtype and,
 * for training, the main gradients. Owns the buffers; close it when the model is done.
 */
public final class ParameterStore implements AutoCloseable {
  /** In elements: 256 bytes of bf16, what matrix products and vector loads like. */
  public static final int ALIGNMENT = 128;

  /**
   * How weights are stored.
   *
   * @param dtype of the values
   * @param shards the length of a group's buffers is made divisible by this many equal, aligned
   *     shards
   * @param withGradients false for validation and generation; frozen weights never have any
   * @param group names those whose gradients are summed over the same devices ({@link
   *     BucketKey#group})
   * @param residency which buffers of a bucket are here all the time
   * @param gradients in which form the gradients of a block are summed
   * @param factors how the update of a weight differs from that of most
   * @param bucketOf the first of the blocks that lie together with a block: neighbours, whose
   *     gradients are summed in the same form
   */
  public record Storage(
      Dtype dtype,
      Device device,
      ToIntFunction<String> shards,
      boolean withGradients,
      Function<ParameterSpec, String> group,
      Function<BucketKey, Residency> residency,
      IntFunction<GradientForm> gradients,
      Function<ParameterSpec, UpdateFactors> factors,
      IntUnaryOperator bucketOf) {
    /** Storage with a bucket for each block. */
    public Storage(
        Dtype dtype,
        Device device,
        ToIntFunction<String> shards,
        boolean withGradients,
        Function<ParameterSpec, String> group,
        Function<BucketKey, Residency> residency,
        IntFunction<GradientForm> gradients,
        Function<ParameterSpec, UpdateFactors> factors) {
      this(
          dtype,
          device,
          shards,
          withGradients,
          group,
          residency,
          gradients,
          factors,
          IntUnaryOperator.identity());
    }

    /** Storage with a bucket for each block, where everything is here. */
    public Storage(
        Dtype dtype,
        Device device,
        ToIntFunction<String> shards,
        boolean withGradients,
        Function<ParameterSpec, String> group) {
      this(
          dtype,
          device,
          shards,
          withGradients,
          group,
          _ -> Residency.ALL,
          _ -> GradientForm.FP32,
          _ -> UpdateFactors.ONE);
    }

    /** Storage where all weights are summed over the same devices. */
    public Storage(Dtype dtype, Device device, int shards, boolean withGradients) {
      this(dtype, device, _ -> shards, withGradients, _ -> BucketKey.ONE_GROUP);
    }
  }

  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  private final List<Bucket> buckets = new ArrayList<>();
  private final Dtype dtype;
  private boolean multipliesScaled;
  private long version;

  /** Allocates zeroed buffers for {@code specs}. */
  public ParameterStore(List<ParameterSpec> specs, Storage storage) {
    dtype = storage.dtype();
    Map<BucketKey, List<ParameterSpec>> byKey = new LinkedHashMap<>();
    for (ParameterSpec spec : specs) {
      boolean trainable = storage.withGradients() && spec.trainable();
      BucketKey key =
          new BucketKey(
              storage.bucketOf().applyAsInt(spec.block()),
              storage.group().apply(spec),
              spec.nf4() == null ? storage.dtype() : Dtype.UINT8,
              trainable,
              trainable ? storage.factors().apply(spec) : UpdateFactors.ONE);
      byKey.computeIfAbsent(key, _ -> new ArrayList<>()).add(spec);
    }
    Map<String, Parameter> byName = new LinkedHashMap<>();
    boolean complete = false;
    try {
      byKey.forEach(
          (key, ofKey) ->
              buckets.add(
                  new Bucket(
                      this,
                      key,
                      ofKey,
                      storage.device(),
                      storage.shards().applyAsInt(key.group()),
                      storage.residency().apply(key),
                      storage.gradients().apply(key.block()))));
      for (Bucket bucket : buckets) {
        for (Parameter parameter : bucket.parameters()) {
          if (byName.put(parameter.name(), parameter) != null) {
            throw new IllegalArgumentException("two parameters are named " + parameter.name());
          }
        }
      }
      complete = true;
    } finally {
      if (!complete) {
        buckets.forEach(Bucket::close);
      }
    }
    // In the order of the declarations, which groups may have taken apart.
    for (ParameterSpec spec : specs) {
      Parameter parameter = byName.get(spec.name());
      if (parameter != null) {
        parameters.put(spec.name(), parameter);
      }
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

  /** The parameters in the order of their declaration. */
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

  /** The buckets in the order of the forward pass. */
  public List<Bucket> buckets() {
    return List.copyOf(buckets);
  }

  /**
   * The bucket of a store that has but one.
   *
   * @throws IllegalStateException when it has several
   */
  public Bucket onlyBucket() {
    if (buckets.size() != 1) {
      throw new IllegalStateException("this store has the buckets " + buckets);
    }
    return buckets.getFirst();
  }

  /** The buckets that have gradients, in the same order. */
  public List<Bucket> trainableBuckets() {
    return buckets.stream().filter(bucket -> bucket.key().trainable()).toList();
  }

  /** The dtype in which layers compute: of all values but those in 4 bits. */
  public Dtype dtype() {
    return dtype;
  }

  /** The device of all values. */
  public Device device() {
    return buckets.getFirst().device();
  }

  /** The dtype of sums of losses and of states in full precision: fp32, or fp64 for fp64. */
  public Dtype wideDtype() {
    return dtype() == Dtype.FLOAT64 ? Dtype.FLOAT64 : Dtype.FLOAT32;
  }

  /** The number of weights, padding not counted. */
  public long elements() {
    return parameters.values().stream().mapToLong(p -> p.spec().elements()).sum();
  }

  /** Starts new sums of gradients; a parameter that nothing is added to counts as zero. */
  public void resetGradients() {
    parameters.values().forEach(Parameter::resetGradient);
  }

  /** Zeroes the gradients that nothing was added to: before a reduction or an update reads all. */
  public void zeroUntouchedGradients() {
    trainableBuckets().forEach(Bucket::zeroUntouchedGradients);
  }

  @Override
  public void close() {
    buckets.forEach(Bucket::close);
  }
}
