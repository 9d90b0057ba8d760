package dev.duoka.model.weight;

import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.ParameterSpec;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A weight that a layer declared; it has a parameter once the model has been allocated. */
public final class Weight {
  private final ParameterSpec spec;
  private final List<CheckpointTensor> checkpointTensors;
  private @Nullable Parameter parameter;

  Weight(ParameterSpec spec, List<CheckpointTensor> checkpointTensors) {
    this.spec = spec;
    this.checkpointTensors = checkpointTensors;
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
