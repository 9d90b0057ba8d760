package dev.duoka.model.weight;

import dev.duoka.engine.function.Lora;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.ParameterSpec;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A weight that a layer declared; it has a parameter once the model has been allocated. */
public final class Weight {
  private final List<CheckpointTensor> checkpointTensors;
  private final boolean adapter;
  private ParameterSpec spec;
  private @Nullable WeightAdapter adaptedBy;
  private @Nullable Parameter parameter;

  Weight(ParameterSpec spec, List<CheckpointTensor> checkpointTensors, boolean adapter) {
    this.spec = spec;
    this.checkpointTensors = checkpointTensors;
    this.adapter = adapter;
  }

  /** Whether it is one of an adapter, and so not in the checkpoint of the model itself. */
  public boolean isAdapter() {
    return adapter;
  }

  /** Has it not trained. */
  public void freeze() {
    spec = spec.frozen();
  }

  /** The adapter beside it; null for none. */
  public @Nullable WeightAdapter adaptedBy() {
    return adaptedBy;
  }

  /** Puts an adapter beside it, whose weights are declared. */
  public void adaptBy(WeightAdapter other) {
    adaptedBy = other;
  }

  /** The allocated adapter beside it, as functions take it; null for none. */
  public @Nullable Lora lora() {
    WeightAdapter its = adaptedBy;
    return its == null ? null : its.of(parameter());
  }

  /** The whole weight, of which {@link #parameter} may hold a portion. */
  public ParameterSpec spec() {
    return spec;
  }

  /** What it is made of in a Hugging Face checkpoint; together they cover it. */
  public List<CheckpointTensor> checkpointTensors() {
    return checkpointTensors;
  }

  /** The allocated parameter. */
  public Parameter parameter() {
    if (parameter == null) {
      throw new IllegalStateException(spec.name() + " has not been allocated");
    }
    return parameter;
  }

  void bind(Parameter allocated) {
    parameter = allocated;
  }
}
