package dev.duoka.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.formats.modelconfig.AttentionConfig;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.layer.KeyValueCache;
import dev.duoka.model.layer.Pass;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.testing.LedgerSnapshot;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.TestDevice;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Token by token with kept keys and values, a model says what it says of the whole sequence. */
class CachedDecodingTests {
  static final List<String> PRESETS = TinyModel.PRESETS;
  private static final Device DEVICE = TestDevice.current();
  private static final int SEQUENCES = 2;

  @ParameterizedTest
  @FieldSource("PRESETS")
  void tokenByTokenAfterThePrompt(String preset) {
    compare(preset, 20, 13, 1, 1, 1, 1, 1, 1, 1);
  }

  @ParameterizedTest
  @FieldSource("PRESETS")
  void fromTheFirstToken(String preset) {
    compare(preset, 4, 1, 1, 1, 1);
  }

  /** A prompt in several parts, and longer than what attention writes out. */
  @ParameterizedTest
  @FieldSource("PRESETS")
  void longPromptInParts(String preset) {
    compare(preset, 170, 133, 5, 30, 1, 1);
  }

  /** Of each token, latent attention keeps d_c + d_R elements a layer (arXiv:2405.04434 §2.1.4). */
  @ParameterizedTest
  @FieldSource("PRESETS")
  void keepsNoMoreThanItMust(String preset) {
    int length = 12;
    try (TinyModel tiny = new TinyModel(preset, DEVICE);
        KeyValueCache cache = new KeyValueCache(length)) {
      long[] tokens = tiny.tokens(18, SEQUENCES * length);
      double[] unused = logits(tiny.model(), tokens, length, 0, 3, cache);
      assertThat(unused).isNotEmpty();
      ModelConfig config = tiny.model().config();
      long width =
          switch (config.attention()) {
            case AttentionConfig.GroupedQuery heads -> 2L * heads.kvHeads() * heads.headDim();
            case AttentionConfig.MultiHeadLatent heads ->
                (long) heads.kvLoraRank() + heads.qkRopeHeadDim();
          };
      long kept = MemoryLedger.of(DEVICE).liveByOwner().getOrDefault(MemoryOwner.KV_CACHE, 0L);
      long bytes = Dtype.FLOAT32.bytes() * width * length * SEQUENCES * config.layers();
      assertThat(kept).isEqualTo(bytes);
    }
  }

  private static void compare(String preset, int length, int... parts) {
    try (TinyModel tiny = new TinyModel(preset, DEVICE)) {
      LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
      long[] tokens = tiny.tokens(17, SEQUENCES * length);
      double[] whole = logits(tiny.model(), tokens, length, 0, length, null);
      try (KeyValueCache cache = new KeyValueCache(length)) {
        int start = 0;
        for (int part : parts) {
          double[] actual = logits(tiny.model(), tokens, length, start, part, cache);
          double[] expected = rows(whole, length, start, part, tiny.model().config().vocabSize());
          Numbers.assertClose(preset + " from " + start + ", seed 17", actual, expected, 1e-5);
          start += part;
        }
      }
      before.assertUnchanged();
    }
  }

  private static double[] logits(
      LanguageModel model,
      long[] tokens,
      int length,
      int start,
      int count,
      @Nullable KeyValueCache cache) {
    long[] part = new long[SEQUENCES * count];
    for (int i = 0; i < part.length; i++) {
      part[i] = tokens[i / count * length + start + i % count];
    }
    try (Scope _ = Scope.open(MemoryOwner.ACTIVATIONS);
        Tape tape = Tape.inference()) {
      Tensor input = HostCopy.fromLongs(part, DEVICE, SEQUENCES, count);
      Pass pass = Pass.generating(tape, SEQUENCES, start, model.rotary(), cache);
      Variable hidden = model.hidden(pass, input);
      return HostCopy.doubles(model.logits(pass, hidden.value()));
    }
  }

  private static double[] rows(double[] whole, int length, int start, int count, int width) {
    double[] rows = new double[SEQUENCES * count * width];
    for (int sequence = 0; sequence < SEQUENCES; sequence++) {
      int from = (sequence * length + start) * width;
      System.arraycopy(
          Arrays.copyOfRange(whole, from, from + count * width),
          0,
          rows,
          sequence * count * width,
          count * width);
    }
    return rows;
  }
}
