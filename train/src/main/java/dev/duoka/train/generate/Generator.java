package dev.duoka.train.generate;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Progress;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.train.checkpoint.CheckpointEvent;
import dev.duoka.train.checkpoint.TokenizerFiles;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.device.SingleDevice;
import dev.duoka.train.memory.GenerationMemory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A model that continues text, one token at a time, with the keys and values of earlier tokens
 * kept: on one device, or shared by several. Owns the model; one thread at a time.
 *
 * <pre>{@code
 * try (Generator generator = Generator.open(run, SingleDevice.CPU, event -> {}, Progress.NONE)) {
 *   generator.generate("int main(", new Sampling(0.8, 50, 0.95, 1, 200), System.out::print);
 * }
 * }</pre>
 */
public final class Generator implements AutoCloseable {
  private final List<NamedModel> models;
  private final WritingPlace place;
  private final Tokenizer tokenizer;
  private final EndTokens ends;
  private NamedModel model;
  private ModelConfig config;
  private @Nullable WritingRanks ranks;
  private boolean adapted = true;

  private Generator(List<NamedModel> models, WritingPlace place, Tokenizer tokenizer) {
    this.models = models;
    this.place = place;
    this.tokenizer = tokenizer;
    this.model = models.getFirst();
    this.config = model.config();
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
    WritingPlace place = new WritingPlace.OneDevice(device, dtype);
    return open(NamedModel.of(path, adapters, form, listener), place, progress);
  }

  /**
   * As the other methods, of a model that several devices share, for one that none of them can
   * hold. The ranks stay until it is closed. When one of them fails, all end; what is asked next
   * loads them anew.
   *
   * @param parallel axes, stages and what carries tensors; nothing that is for training alone
   * @param placement a device for each rank; bf16 on GPUs, where it is fast, fp32 on the CPU
   * @param progress hears how many weights the first rank has read
   * @throws DuokaException when the model does not admit the mesh, or writing text has no use for a
   *     part of it
   */
  public static Generator open(
      Path path,
      List<Path> adapters,
      Optional<BaseForm> form,
      ParallelSettings parallel,
      DevicePlacement placement,
      Consumer<CheckpointEvent> listener,
      Progress progress) {
    WritingPlace place = new WritingPlace.OnMesh(WritingMesh.of(parallel, placement));
    return open(NamedModel.of(path, adapters, form, listener), place, progress);
  }

  private static Generator open(List<NamedModel> models, WritingPlace place, Progress progress) {
    Tokenizer tokenizer =
        Tokenizer.load(TokenizerFiles.nameIn(models.getFirst().tokenizerFolder()));
    Generator generator = new Generator(models, place, tokenizer);
    generator.loadAnew(progress);
    return generator;
  }

  /** Allocates and reads the present model. */
  private void loadAnew(Progress progress) {
    config = model.config();
    place.require(config);
    place.memory(config).requireModel();
    WritingRanks loaded =
        GenerationMemory.during(
            "loading the model", GenerationMemory.SMALLER_MODEL, () -> place.load(model, progress));
    ranks = loaded;
    setAdapted(loaded, adapted);
  }

  /** Those that are there, or new ones in the place of some that a failure has ended. */
  private WritingRanks ranks() {
    WritingRanks loaded = ranks;
    if (loaded == null) {
      throw new IllegalStateException("the model has been closed");
    }
    if (!loaded.isRunning()) {
      loaded.close();
      loadAnew(Progress.NONE);
    }
    return Objects.requireNonNull(ranks);
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
    return config;
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
    text.require(config);
    WritingRanks writers = ranks();
    place.memory(config).requireText(prompt.length, (long) prompt.length + text.limit(config));
    return GenerationMemory.during(
        "writing a text", GenerationMemory.SHORTER_TEXT, () -> writers.write(text, output));
  }

  /** Whether the model has an adapter. */
  public boolean hasAdapter() {
    return config.adapter() != null;
  }

  /**
   * Lets the adapter add to the model from now on, as it does at first, or not. Without it what was
   * trained whole beside it has the base's numbers, too: they are read again.
   */
  public void setAdapted(boolean on) {
    boolean before = adapted;
    adapted = on;
    WritingRanks present = ranks;
    if (present != null && present.isRunning() && before != on) {
      present.setAdapted(model, on);
    } // else those that come in their place are told
  }

  /** New ranks have the adapter in them. */
  private void setAdapted(WritingRanks loaded, boolean on) {
    if (!on) {
      loaded.setAdapted(model, false);
    }
  }

  /** Whether the model is there: not after a failure has ended its ranks. */
  public boolean isLoaded() {
    WritingRanks present = ranks;
    return present != null && present.isRunning();
  }

  /**
   * Loads the model again where a failure has ended its ranks, as the next text would.
   *
   * @param progress hears how many weights were read
   */
  public void load(Progress progress) {
    if (!isLoaded()) {
      close();
      loadAnew(progress);
    }
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
    WritingRanks present = ranks;
    if (present != null && present.isRunning() && config.equals(other.config())) {
      present.readAdapter(other);
      return;
    }
    close();
    loadAnew(progress);
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
    WritingRanks loaded = ranks;
    if (loaded != null) {
      ranks = null;
      loaded.close();
    }
  }
}
