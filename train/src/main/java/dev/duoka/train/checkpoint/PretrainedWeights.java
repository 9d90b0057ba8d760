package dev.duoka.train.checkpoint;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Progress;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.weight.CheckpointWeights;
import dev.duoka.model.weight.StateBuffer;
import dev.duoka.model.weight.Weight;
import dev.duoka.model.weight.WeightReader;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Starts a model from weights that were trained before, as fine-tuning does. */
public final class PretrainedWeights {
  private PretrainedWeights() {}

  /**
   * Reads the weights of a folder in Hugging Face's form, converting to the model's dtype; those in
   * FP8 with scales for blocks, too. What many folders lack keeps its first values: MTP modules,
   * and the selection bias of experts.
   *
   * @param model of which what is not {@link #stored} is initialised already; its optimizer is made
   *     afterwards, or told by {@code adoptValues}
   * @param notice hears what was missing or not used
   * @param progress hears how far it is
   * @throws DuokaException when another tensor of the model is missing or has another shape, or the
   *     weights are quantized in another way
   */
  public static void load(
      Path folder, LanguageModel model, Consumer<String> notice, Progress progress) {
    WeightReader.Report report;
    try (SafetensorsFolder weights = SafetensorsFolder.open(folder)) {
      CheckpointWeights stored = CheckpointWeights.of(weights);
      stored
          .blocks()
          .ifPresent(
              blocks ->
                  notice.accept(
                      "the weights of "
                          + folder
                          + " are in FP8 with a scale for each block of "
                          + blocks
                          + ": they become numbers of 16 or 32 bits as they are read, and "
                          + (model.frozenWeights().isEmpty()
                              ? "are trained, saved and exported as such"
                              : "those that are not trained stay as they are in that folder")));
      report = WeightReader.read(stored, model.baseWeights(), model.buffers(), progress);
    }
    List<String> missing = report.missing();
    List<String> required = missing.stream().filter(name -> !isOptional(name, model)).toList();
    if (!required.isEmpty()) {
      throw new DuokaException(
          ErrorCode.FORMAT,
          folder
              + " lacks "
              + required.size()
              + " tensors of this model, the first is "
              + required.getFirst(),
          "Check that the run's model is the one of these weights");
    }
    if (!missing.isEmpty()) {
      notice.accept(
          missing.size()
              + " tensors are not in "
              + folder
              + " and start afresh, the first is "
              + missing.getFirst());
    }
    List<String> unused = unused(report, model);
    if (!unused.isEmpty()) {
      notice.accept(
          unused.size()
              + " tensors of "
              + folder
              + " are not used by this model, the first is "
              + unused.getFirst());
    }
  }

  /**
   * The parameters of a model that {@link #load} writes whole, so that nobody needs to before. What
   * is in 4 bits is always of a base, all of which has to be there.
   */
  public static Set<Parameter> stored(Path folder, LanguageModel model) {
    Set<Parameter> stored = Collections.newSetFromMap(new IdentityHashMap<>());
    try (SafetensorsFolder weights = SafetensorsFolder.open(folder)) {
      Set<String> there =
          CheckpointWeights.of(weights).tensors().stream()
              .map(TensorEntry::name)
              .collect(Collectors.toSet());
      for (Weight weight : model.baseWeights()) {
        if (weight.parameter().isInFourBits()
            || weight.checkpointTensors().stream()
                .allMatch(tensor -> there.contains(tensor.name()))) {
          stored.add(weight.parameter());
        }
      }
    }
    return stored;
  }

  /** What the whole model has no use for, not this rank's part of it alone. */
  private static List<String> unused(WeightReader.Report report, LanguageModel model) {
    if (report.unused().isEmpty()) {
      return List.of();
    }
    ModelFactory.Declared whole = ModelFactory.declared(model.config(), model.predictionDepth());
    Set<String> used = new HashSet<>();
    whole
        .weights()
        .forEach(weight -> weight.checkpointTensors().forEach(tensor -> used.add(tensor.name())));
    whole.buffers().forEach(buffer -> used.add(buffer.checkpointName()));
    return report.unused().stream().filter(name -> !used.contains(name)).toList();
  }

  private static boolean isOptional(String name, LanguageModel model) {
    int layers = model.config().layers();
    boolean predictor =
        IntStream.range(layers, layers + model.predictionDepth())
            .anyMatch(layer -> name.startsWith("model.layers." + layer + "."));
    return predictor
        || model.buffers().stream().map(StateBuffer::checkpointName).anyMatch(name::equals);
  }
}
