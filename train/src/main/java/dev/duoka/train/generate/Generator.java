package dev.duoka.train.generate;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Progress;
import dev.duoka.comm.SingleRank;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.weight.Weight;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.InferenceRank;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.train.checkpoint.CheckpointEvent;
import dev.duoka.train.checkpoint.StoredModel;
import dev.duoka.train.checkpoint.TokenizerFiles;
import dev.duoka.train.device.SingleDevice;
import dev.duoka.train.memory.GenerationMemory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A model that continues text, one token at a time, with the keys and values of earlier tokens
 * kept. Owns the model; one thread at a time.
 *
 * <pre>{@code
 * try (Generator generator = Generator.open(run, SingleDevice.CPU, event -> {}, Progress.NONE)) {
 *   generator.generate("int main(", new Sampling(0.8, 50, 0.95, 1, 200), System.out::print);
 * }
 * }</pre>
 */
public final class Generator implements AutoCloseable {
  private final List<NamedModel> models;
  private final Device device;
  private final Dtype dtype;
  private final Tokenizer tokenizer;
  private final EndTokens ends;
  private NamedModel model;
  private @Nullable InferenceRank rank;
  private boolean adapted = true;

  private Generator(List<NamedModel> models, Device device, Dtype dtype, Tokenizer tokenizer) {
    this.models = models;
    this.device = device;
    this.dtype = dtype;
    this.tokenizer = tokenizer;
    this.model = models.getFirst();
    this.ends = EndTokens.of(model.tokenizerFolder(), tokenizer, model.config());
  }

  /**
   * Loads a model.
   *
   * @param path a run's folder, of which the newest valid checkpoint is taken; a checkpoint; or any
   *     folder in Hugging Face's form with weights and tokenizer; of an adapter, in PEFT's form or
   *     a checkpoint, the base that it names is loaded, too
   * @param dtype of weights and activations
   * @param listener hears of damaged checkpoints that were passed over
   */
  public static Generator open(
      Path path, Device device, Dtype dtype, Consumer<CheckpointEvent> listener) {
    return open(path, List.of(), device, dtype, listener, Progress.NONE);
  }

  /**
   * Loads a base with the first of several adapters.
   *
   * @param path as above, of the base; which base the adapters name has no meaning, but those of
   *     our runs must have been trained on this one
   * @param adapters folders in PEFT's form, or runs; empty for the model as it is
   * @param progress hears how many weights were read
   */
  public static Generator open(
      Path path,
      List<Path> adapters,
      Device device,
      Dtype dtype,
      Consumer<CheckpointEvent> listener,
      Progress progress) {
    return open(path, adapters, Optional.empty(), device, dtype, listener, progress);
  }

  /**
   * As the other method, of a base that is kept in a form.
   *
   * @param form of the base beside adapters in PEFT's form, which do not say it; empty for dense,
   *     and beside adapters of our runs for what they were trained on
   */
  public static Generator open(
      Path path,
      List<Path> adapters,
      Optional<BaseForm> form,
      Device device,
      Dtype dtype,
      Consumer<CheckpointEvent> listener,
      Progress progress) {
    List<NamedModel> models = NamedModel.of(path, adapters, form, listener);
    Tokenizer tokenizer =
        Tokenizer.load(TokenizerFiles.nameIn(models.getFirst().tokenizerFolder()));
    Generator generator = new Generator(models, device, dtype, tokenizer);
    generator.load(progress);
    return generator;
  }

  /** Allocates and reads the present model. */
  private void load(Progress progress) {
    ModelConfig config = model.config();
    new GenerationMemory(config, dtype, device).requireModel();
    rank =
        GenerationMemory.during(
            "loading the model", GenerationMemory.SMALLER_MODEL, () -> loaded(config, progress));
  }

  private InferenceRank loaded(ModelConfig config, Progress progress) {
    InferenceRank loaded =
        InferenceRank.allocate(
            new Mesh(1, 1, 1, 1, 1, 1), List.of(), new SingleRank(), device, config, dtype);
    boolean opened = false;
    try (StoredModel stored = model.open()) {
      stored.read(loaded.model(), progress);
      loaded.setAdapted(adapted);
      opened = true;
      return loaded;
    } finally {
      if (!opened) {
        loaded.close();
      }
    }
  }

  private InferenceRank rank() {
    InferenceRank loaded = rank;
    if (loaded == null) {
      throw new IllegalStateException("the model has been closed");
    }
    return loaded;
  }

  /**
   * Loads a model on one device and binds the calling thread to it: in bf16 on a GPU, where it is
   * fast, in fp32 on the CPU.
   *
   * @param path as above
   * @param listener as above
   * @param progress hears how many weights were read
   */
  public static Generator open(
      Path path, SingleDevice device, Consumer<CheckpointEvent> listener, Progress progress) {
    return open(path, List.of(), Optional.empty(), device, listener, progress);
  }

  /**
   * As the other method, of a base with the first of several adapters.
   *
   * @param adapters as above
   * @param form as above
   */
  public static Generator open(
      Path path,
      List<Path> adapters,
      Optional<BaseForm> form,
      SingleDevice device,
      Consumer<CheckpointEvent> listener,
      Progress progress) {
    device.prepareThread();
    Dtype dtype = device.isCuda() ? Dtype.BFLOAT16 : Dtype.FLOAT32;
    return open(path, adapters, form, device.device(), dtype, listener, progress);
  }

  /** The folder that the weights came from. */
  public Path folder() {
    return model.folder();
  }

  /** The model's shape. */
  public ModelConfig config() {
    return rank().model().config();
  }

  /** The model's tokenizer. */
  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /**
   * Continues a text.
   *
   * @param output hears the new text bit by bit, as soon as characters are complete
   */
  public Generation generate(String prompt, Sampling sampling, Consumer<String> output) {
    return generate(tokenizer.encodeWithSpecialTokens(prompt), sampling, output);
  }

  /** As the other method, for a prompt of token ids, for instance of a chat. */
  public Generation generate(int[] prompt, Sampling sampling, Consumer<String> output) {
    Continuation text =
        new Continuation(Arrays.stream(prompt).boxed().toList(), sampling, tokenizer, ends);
    text.require(config());
    new GenerationMemory(config(), dtype, device)
        .requireText(prompt.length, (long) prompt.length + text.limit(config()));
    return GenerationMemory.during(
        "writing a text", GenerationMemory.SHORTER_TEXT, () -> text.write(rank(), output));
  }

  /** Whether the model has an adapter. */
  public boolean hasAdapter() {
    return rank().model().weights().stream().anyMatch(Weight::isAdapter);
  }

  /**
   * Lets the adapter add to the model from now on, as it does at first, or not. What was trained
   * whole beside it stays as it was trained.
   */
  public void setAdapted(boolean on) {
    adapted = on;
    rank().setAdapted(on);
  }

  /** The names of the adapters that were given beside a base; empty where none was. */
  public List<String> adapters() {
    return models.stream().filter(it -> it.base().isPresent()).map(NamedModel::name).toList();
  }

  /** The one of {@link #adapters} that is in the model now. */
  public Optional<String> adapter() {
    return Optional.of(model).filter(it -> it.base().isPresent()).map(NamedModel::name);
  }

  /**
   * Puts another of the {@link #adapters} in the place of the present one, and lets it add to the
   * model. One of the same form takes a moment; for another the base is loaded anew. When that
   * fails, the present one is there again.
   *
   * @param progress hears how many weights were read
   * @throws DuokaException when there is none of this name, or its files are not right
   */
  public void use(String name, Progress progress) {
    NamedModel other =
        models.stream()
            .filter(it -> it.base().isPresent() && it.name().equals(name))
            .findFirst()
            .orElseThrow(
                () ->
                    new DuokaException(
                        ErrorCode.USAGE,
                        "there is no adapter " + name,
                        adapters().isEmpty()
                            ? "Give some with --adapter"
                            : "There are " + String.join(", ", adapters())));
    NamedModel before = model;
    boolean used = false;
    try {
      replaceBy(other, progress);
      used = true;
    } finally {
      if (!used) {
        replaceBy(before, progress);
      }
    }
    setAdapted(true);
  }

  private void replaceBy(NamedModel other, Progress progress) {
    model = other;
    InferenceRank present = rank;
    if (present != null && present.model().config().equals(other.config())) {
      try (StoredModel stored = other.open()) {
        stored.readAdapter(present.model());
      }
      return;
    }
    close();
    load(progress);
  }

  /**
   * The chat template of the model's tokenizer.
   *
   * @throws DuokaException when it has none, or one that is no template
   */
  public ChatTemplate chatTemplate() {
    return ChatTemplate.beside(model.tokenizerFolder())
        .orElseThrow(
            () ->
                new DuokaException(
                    ErrorCode.CONFIG,
                    "the tokenizer of " + folder() + " brings no chat template",
                    "Give one with --template, a Jinja file or one of "
                        + String.join(", ", ChatTemplate.NAMES)));
  }

  @Override
  public void close() {
    InferenceRank loaded = rank;
    if (loaded != null) {
      rank = null;
      loaded.close();
    }
  }
}
