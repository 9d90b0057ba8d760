package dev.duoka.model.weight;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.engine.function.Lora;
import dev.duoka.engine.parameter.Nf4Form;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.formats.adapter.NamePatterns;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A weight that a layer declared; it has a parameter once the model has been allocated. */
public final class Weight {
  /** Names that a message has at most. */
  private static final int SHOWN = 4;

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

  /**
   * Whether some modules are those that it belongs to.
   *
   * @throws DuokaException with {@link ErrorCode#CONFIG} when that holds for a part of it alone:
   *     what is one weight here is treated as one
   */
  public boolean isOf(NamePatterns modules) {
    long fitting =
        checkpointTensors.stream().filter(tensor -> modules.matches(tensor.module())).count();
    if (fitting > 0 && fitting < checkpointTensors.size()) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          NamePatterns.text(modules)
              + " means only some of "
              + checkpointTensors.stream().limit(SHOWN).map(CheckpointTensor::module).toList()
              + (checkpointTensors.size() > SHOWN ? " and so on" : "")
              + ", which are one weight here",
          "Name all of them, or what they are in, or none");
    }
    return fitting > 0;
  }

  /** Has it not trained. */
  public void freeze() {
    spec = spec.frozen();
  }

  /**
   * Has it not trained, and kept in 4 bits: each of the checkpoint's tensors that it is made of is
   * quantized for itself.
   *
   * @param doubled whether scales are quantized, too
   */
  public void keepInFourBits(boolean doubled) {
    long columns = spec.shape().getLast();
    spec =
        spec.inFourBits(
            new Nf4Form(
                checkpointTensors.stream().map(tensor -> tensor.elements() / columns).toList(),
                doubled));
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
