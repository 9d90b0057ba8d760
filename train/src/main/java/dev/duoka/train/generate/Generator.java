package dev.duoka.train.generate;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Progress;
import dev.duoka.comm.SingleRank;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.weight.Weight;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.InferenceRank;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.train.checkpoint.CheckpointEvent;
import dev.duoka.train.checkpoint.CheckpointStore;
import dev.duoka.train.checkpoint.StoredModel;
import dev.duoka.train.checkpoint.TokenizerFiles;
import dev.duoka.train.device.SingleDevice;
import dev.duoka.train.memory.GenerationMemory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

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
  private final Path folder;
  private final InferenceRank rank;
  private final Tokenizer tokenizer;
  private final EndTokens ends;
  private final GenerationMemory memory;

  private Generator(Path folder, InferenceRank rank, Tokenizer tokenizer, GenerationMemory memory) {
    this.ends = EndTokens.of(StoredModel.tokenizerFolder(folder), tokenizer, rank.model().config());
    this.folder = folder;
    this.rank = rank;
    this.tokenizer = tokenizer;
    this.memory = memory;
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
    return open(path, device, dtype, listener, Progress.NONE);
  }

  private static Generator open(
      Path path,
      Device device,
      Dtype dtype,
      Consumer<CheckpointEvent> listener,
      Progress progress) {
    Path folder = CheckpointStore.resolve(path, listener);
    StoredModel.requireBase(folder);
    ModelConfig config = StoredModel.config(folder);
    Path tokenizerFolder = StoredModel.tokenizerFolder(folder);
    Tokenizer tokenizer = Tokenizer.load(TokenizerFiles.nameIn(tokenizerFolder));
    GenerationMemory memory = new GenerationMemory(config, dtype, device);
    memory.requireModel();
    InferenceRank rank =
        InferenceRank.allocate(
            new Mesh(1, 1, 1, 1, 1, 1), List.of(), new SingleRank(), device, config, dtype);
    boolean opened = false;
    try (StoredModel stored = StoredModel.open(folder)) {
      stored.read(rank.model(), progress);
      opened = true;
      return new Generator(folder, rank, tokenizer, memory);
    } finally {
      if (!opened) {
        rank.close();
      }
    }
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
    device.prepareThread();
    Dtype dtype = device.isCuda() ? Dtype.BFLOAT16 : Dtype.FLOAT32;
    return open(path, device.device(), dtype, listener, progress);
  }

  /** The folder that the weights came from. */
  public Path folder() {
    return folder;
  }

  /** The model's shape. */
  public ModelConfig config() {
    return rank.model().config();
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
    memory.requireText(prompt.length, (long) prompt.length + text.limit(config()));
    return text.write(rank, output);
  }

  /** Whether the model has an adapter. */
  public boolean hasAdapter() {
    return rank.model().weights().stream().anyMatch(Weight::isAdapter);
  }

  /**
   * Lets the adapter add to the model from now on, as it does at first, or not. What was trained
   * whole beside it stays as it was trained.
   */
  public void setAdapted(boolean on) {
    rank.setAdapted(on);
  }

  /**
   * The chat template of the model's tokenizer.
   *
   * @throws DuokaException when it has none, or one that is no template
   */
  public ChatTemplate chatTemplate() {
    return ChatTemplate.beside(StoredModel.tokenizerFolder(folder))
        .orElseThrow(
            () ->
                new DuokaException(
                    ErrorCode.CONFIG,
                    "the tokenizer of " + folder + " brings no chat template",
                    "Give one with --template, a Jinja file or one of "
                        + String.join(", ", ChatTemplate.NAMES)));
  }

  @Override
  public void close() {
    rank.close();
  }
}
