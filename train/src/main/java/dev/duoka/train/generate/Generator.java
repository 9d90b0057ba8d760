package dev.duoka.train.generate;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.tokenizer.StreamingDecoder;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.engine.autograd.Tape;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.modelconfig.QuantizedWeights;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.layer.KeyValueCache;
import dev.duoka.model.layer.Pass;
import dev.duoka.model.weight.WeightReader;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Views;
import dev.duoka.train.checkpoint.CheckpointEvent;
import dev.duoka.train.checkpoint.CheckpointStore;
import dev.duoka.train.checkpoint.TokenizerFiles;
import dev.duoka.train.device.SingleDevice;
import dev.duoka.train.memory.GenerationMemory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * A model that continues text, one token at a time, with the keys and values of earlier tokens
 * kept. Owns the model; one thread at a time.
 *
 * <pre>{@code
 * try (Generator generator = Generator.open(run, SingleDevice.CPU, event -> {})) {
 *   generator.generate("int main(", new Sampling(0.8, 50, 0.95, 1, 200), System.out::print);
 * }
 * }</pre>
 */
public final class Generator implements AutoCloseable {
  private final Path folder;
  private final LanguageModel model;
  private final Tokenizer tokenizer;
  private final EndTokens ends;
  private final GenerationMemory memory;

  private Generator(
      Path folder, LanguageModel model, Tokenizer tokenizer, GenerationMemory memory) {
    this.ends = EndTokens.of(folder, tokenizer, model.config());
    this.folder = folder;
    this.model = model;
    this.tokenizer = tokenizer;
    this.memory = memory;
  }

  /**
   * Loads a model.
   *
   * @param path a run's folder, of which the newest valid checkpoint is taken; a checkpoint; or any
   *     folder in Hugging Face's form with weights and tokenizer
   * @param dtype of weights and activations
   * @param listener hears of damaged checkpoints that were passed over
   */
  public static Generator open(
      Path path, Device device, Dtype dtype, Consumer<CheckpointEvent> listener) {
    Path folder = CheckpointStore.resolve(path, listener);
    ModelConfig config = ModelConfigReader.read(folder);
    QuantizedWeights.refuse(folder);
    Tokenizer tokenizer = Tokenizer.load(TokenizerFiles.nameIn(folder));
    GenerationMemory memory = new GenerationMemory(config, dtype, device);
    memory.requireModel();
    LanguageModel model =
        ModelFactory.create(
            config, new ModelFactory.Allocation(dtype, device, false, config.maxPositions(), 0));
    boolean opened = false;
    try (SafetensorsFolder weights = SafetensorsFolder.open(folder)) {
      WeightReader.readAll(weights, model.weights(), model.buffers());
      opened = true;
      return new Generator(folder, model, tokenizer, memory);
    } finally {
      if (!opened) {
        model.close();
      }
    }
  }

  /**
   * Loads a model on one device and binds the calling thread to it: in bf16 on a GPU, where it is
   * fast, in fp32 on the CPU.
   *
   * @param path as above
   * @param listener as above
   */
  public static Generator open(Path path, SingleDevice device, Consumer<CheckpointEvent> listener) {
    device.prepareThread();
    Dtype dtype = device.isCuda() ? Dtype.BFLOAT16 : Dtype.FLOAT32;
    return open(path, device.device(), dtype, listener);
  }

  /** The folder that the weights came from. */
  public Path folder() {
    return folder;
  }

  /** The model's shape. */
  public ModelConfig config() {
    return model.config();
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
    check(prompt);
    long start = System.nanoTime();
    long room = model.maxPositions() - prompt.length;
    int limit = (int) Math.min(sampling.maxTokens(), room);
    memory.requireText(prompt.length, (long) prompt.length + limit);
    TokenSampler sampler = new TokenSampler(sampling);
    StreamingDecoder decoder = tokenizer.streamingDecoder();
    StringBuilder text = new StringBuilder();
    List<Integer> tokens = new ArrayList<>();
    Generation.End end =
        limit < sampling.maxTokens() ? Generation.End.CONTEXT_FULL : Generation.End.MAX_TOKENS;
    try (KeyValueCache cache = new KeyValueCache((long) prompt.length + limit)) {
      long position = 0;
      int[] input = prompt;
      while (tokens.size() < limit) {
        float[] logits = lastLogits(input, position, cache);
        position += input.length;
        int token = sampler.next(logits, Math.min(logits.length, tokenizer.vocabularySize()));
        tokens.add(token);
        if (ends.contains(token)) {
          end = Generation.End.END_TOKEN;
          break;
        }
        if (!tokenizer.isSpecial(token)) {
          emit(decoder.add(token), text, output);
        }
        input = new int[] {token};
      }
    }
    emit(decoder.finish(), text, output);
    return new Generation(
        text.toString(),
        List.copyOf(tokens),
        prompt.length,
        end,
        (System.nanoTime() - start) * 1e-9);
  }

  /** The logits after the last of these tokens, of which the first is at {@code position}. */
  private float[] lastLogits(int[] input, long position, KeyValueCache cache) {
    long[] ids = new long[input.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = input[i];
    }
    try (Scope _ = Scope.open(MemoryOwner.ACTIVATIONS);
        Tape tape = Tape.inference()) {
      Tensor tokens = HostCopy.fromLongs(ids, memory.device(), 1, ids.length);
      Pass pass = Pass.generating(tape, 1, position, model.rotary(), cache);
      Tensor hidden = model.hidden(pass, tokens).value();
      return HostCopy.floats(model.logits(Views.narrow(hidden, 0, ids.length - 1, 1)));
    }
  }

  private static void emit(String part, StringBuilder text, Consumer<String> output) {
    if (!part.isEmpty()) {
      text.append(part);
      output.accept(part);
    }
  }

  private void check(int[] prompt) {
    if (prompt.length == 0) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "cannot continue an empty prompt: this tokenizer puts no token in front of a text",
          "Give a prompt of at least one character");
    }
    if (prompt.length >= model.maxPositions()) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "the prompt has "
              + prompt.length
              + " tokens, but the model has "
              + model.maxPositions()
              + " positions for prompt and answer",
          "Shorten the prompt to at most " + (model.maxPositions() - 1) + " tokens");
    }
    for (int id : prompt) {
      if (id < 0 || id >= model.config().vocabSize()) {
        throw new DuokaException(
            ErrorCode.DATA,
            "the prompt has the token "
                + id
                + ", but the model's ids end at "
                + (model.config().vocabSize() - 1),
            "Use the tokenizer that the model was trained with");
      }
    }
  }

  @Override
  public void close() {
    model.close();
  }
}
