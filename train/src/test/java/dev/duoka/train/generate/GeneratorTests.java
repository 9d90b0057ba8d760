package dev.duoka.train.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.data.tokenizer.ByteTokenizer;
import dev.duoka.engine.autograd.Tape;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.layer.Pass;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.LiveTensors;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.ThreadLedger;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Views;
import dev.duoka.train.export.HuggingFaceExport;
import dev.duoka.train.export.WeightFormat;
import dev.duoka.train.memory.GenerationMemory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GeneratorTests {
  private static final long SEED = 7;

  @TempDir Path run;

  /** Several threads only hinder each other on models this small. */
  @BeforeAll
  static void computeOnOneThread() {
    ComputeThread.prepare(Device.CPU, 1, 1);
  }

  private Generator open() {
    return Generator.open(run, Device.CPU, Dtype.FLOAT32, TinyRun::refuse);
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny-llama", "tiny-moe", "tiny-v2", "tiny-v3"})
  void cachedDecodingIsWholeForwardPasses(String preset) {
    ModelConfig config = TinyRun.config(preset);
    TinyRun.save(run, config, SEED);
    int[] prompt = new ByteTokenizer().encodeWithSpecialTokens("int x = ");
    try (Generator generator = open();
        LanguageModel model = TinyRun.model(config, SEED)) {
      List<Integer> tokens = generator.generate(prompt, Sampling.greedy(12), _ -> {}).tokens();
      assertThat(tokens).hasSizeGreaterThan(1);
      long[] all = Arrays.stream(prompt).asLongStream().toArray();
      for (int token : tokens) {
        assertThat(argmax(model, all)).as("token %s", all.length - prompt.length).isEqualTo(token);
        all = Arrays.copyOf(all, all.length + 1);
        all[all.length - 1] = token;
      }
    }
  }

  private static int argmax(LanguageModel model, long[] ids) {
    try (Scope _ = Scope.open();
        Tape tape = Tape.inference()) {
      Tensor tokens = HostCopy.fromLongs(ids, Device.CPU, 1, ids.length);
      Pass pass = Pass.overSequences(tape, 1, model.rotary(), null);
      Tensor hidden = model.hidden(pass, tokens).value();
      Tensor last = Views.narrow(hidden, 0, ids.length - 1, 1);
      float[] logits = HostCopy.floats(model.logits(pass, last));
      int best = 0;
      for (int token = 1; token < logits.length; token++) {
        best = logits[token] > logits[best] ? token : best;
      }
      return best;
    }
  }

  /** Counted to suffice, and then taken by somebody else: nothing of training is proposed. */
  @Test
  void memoryThatRunsOutIsSaidToBeOfLoadingOrWriting() {
    TinyRun.save(run, TinyRun.config("tiny-llama"), SEED);
    try (ThreadLedger _ = ThreadLedger.open(Device.CPU, 1000)) {
      assertThatThrownBy(this::open)
          .hasMessageStartingWith("loading the model: cannot allocate ")
          .hasMessageEndingWith(GenerationMemory.SMALLER_MODEL);
    }
    try (Generator generator = open();
        ThreadLedger _ = ThreadLedger.open(Device.CPU, 100)) {
      assertThatThrownBy(() -> generator.generate("a", Sampling.greedy(4), _ -> {}))
          .hasMessageStartingWith("writing a text: cannot allocate ")
          .hasMessageEndingWith(GenerationMemory.SHORTER_TEXT);
    }
  }

  @Test
  void streamedPartsAreTheText() {
    TinyRun.save(run, TinyRun.config("tiny-llama"), SEED);
    try (Generator generator = open()) {
      for (int seed = 0; seed < 3; seed++) {
        List<String> parts = new ArrayList<>();
        Generation generation =
            generator.generate("多", new Sampling(1.5, 0, 1, seed, 40), parts::add);
        assertThat(String.join("", parts)).as("seed %s", seed).isEqualTo(generation.text());
        int[] shown =
            generation.tokens().stream()
                .mapToInt(Integer::intValue)
                .filter(token -> !generator.tokenizer().isSpecial(token))
                .toArray();
        assertThat(generation.text()).isEqualTo(generator.tokenizer().decode(shown));
        assertThat(generation.promptTokens()).isEqualTo(4);
      }
    }
  }

  @Test
  void seedDecidesTheText() {
    TinyRun.save(run, TinyRun.config("tiny-moe"), SEED);
    try (Generator generator = open()) {
      List<Integer> first = sample(generator, 1);
      assertThat(sample(generator, 1)).isEqualTo(first);
      assertThat(sample(generator, 2)).isNotEqualTo(first);
    }
  }

  private static List<Integer> sample(Generator generator, long seed) {
    return generator.generate("a", new Sampling(2, 0, 1, seed, 16), _ -> {}).tokens();
  }

  @Test
  void textEndsWithTheContext() {
    TinyRun.save(run, TinyRun.config("tiny-llama"), SEED);
    try (Generator generator = open()) {
      int positions = generator.config().maxPositions();
      int[] prompt = new int[positions - 3];
      Arrays.fill(prompt, 'a');
      Generation generation = generator.generate(prompt, Sampling.greedy(10), _ -> {});
      assertThat(generation.tokens()).hasSizeLessThanOrEqualTo(3);
      assertThat(generation.end()).isNotEqualTo(Generation.End.MAX_TOKENS);
      assertThatThrownBy(
              () -> generator.generate("b".repeat(positions), Sampling.greedy(1), _ -> {}))
          .isInstanceOf(DuokaException.class)
          .hasMessageContainingAll("the prompt has " + (positions + 1), "" + positions, "Shorten");
      assertThatThrownBy(() -> generator.generate(new int[0], Sampling.greedy(1), _ -> {}))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("empty prompt");
      assertThatThrownBy(() -> generator.generate(new int[] {320}, Sampling.greedy(1), _ -> {}))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("the token 320");
    }
  }

  @Test
  void nothingIsLeftInMemory() {
    TinyRun.save(run, TinyRun.config("tiny-v3"), SEED);
    long before = MemoryLedger.of(Device.CPU).liveBytes();
    try (Generator generator = open()) {
      generator.generate("a", Sampling.greedy(3), _ -> {});
      long once = MemoryLedger.of(Device.CPU).liveBytes();
      generator.generate("a", Sampling.greedy(9), _ -> {});
      assertThat(MemoryLedger.of(Device.CPU).liveBytes()).isEqualTo(once);
    }
    assertThat(MemoryLedger.of(Device.CPU).liveBytes())
        .as("set %s to find the place", LiveTensors.PROPERTY)
        .isEqualTo(before);
  }

  @Test
  void exportedFolderContinuesAsTheRunDoes() {
    TinyRun.save(run, TinyRun.config("tiny-v2"), SEED);
    Path exported = run.resolve("exported");
    HuggingFaceExport.export(run, exported, WeightFormat.FP32, TinyRun::refuse);
    try (Generator ours = open();
        Generator theirs = Generator.open(exported, Device.CPU, Dtype.FLOAT32, TinyRun::refuse)) {
      Sampling greedy = Sampling.greedy(12);
      assertThat(theirs.generate("for (", greedy, _ -> {}).tokens())
          .isEqualTo(ours.generate("for (", greedy, _ -> {}).tokens());
    }
  }

  @Test
  void folderThatIsNoModelIsRefused() throws Exception {
    Path empty = Files.createDirectory(run.resolve("empty"));
    assertThatThrownBy(() -> Generator.open(empty, Device.CPU, Dtype.FLOAT32, TinyRun::refuse))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("config.json");
  }
}
