package dev.duoka.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

class HfTokenizerTests {
  private static final TinyBpe BYTES = TinyBpe.ofBytes(200);

  @TempDir Path folder;

  private static ObjectNode file() {
    ObjectNode root = BYTES.json();
    String byteLevel =
        "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"use_regex\": true}";
    root.set("pre_tokenizer", TinyBpe.parse(byteLevel));
    root.set("decoder", TinyBpe.parse(byteLevel));
    ArrayNode added = (ArrayNode) root.get("added_tokens");
    added.addObject().put("id", BYTES.size()).put("content", "<s>").put("special", true);
    added.addObject().put("id", BYTES.size() + 1).put("content", "</s>").put("special", true);
    added.addObject().put("id", BYTES.size() + 2).put("content", "né").put("special", false);
    return root;
  }

  @Test
  void takesBosEosAndPadFromTheFilesBeside() throws IOException {
    Files.writeString(folder.resolve("tokenizer.json"), file().toString());
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        """
        {"tokenizer_class": "LlamaTokenizerFast", "add_bos_token": true, "add_eos_token": false,
         "bos_token": {"content": "<s>", "lstrip": false}, "eos_token": "né"}\
        """);
    Files.writeString(folder.resolve("special_tokens_map.json"), "{\"pad_token\": \"</s>\"}");
    Tokenizer tokenizer = Tokenizer.load(folder.toString());
    assertThat(tokenizer.bosId()).isEqualTo(BYTES.size());
    assertThat(tokenizer.eosId()).isEqualTo(BYTES.size() + 2);
    assertThat(tokenizer.padId()).isEqualTo(BYTES.size() + 1);
    assertThat(tokenizer.encodeWithSpecialTokens("</s>"))
        .containsExactly(BYTES.size(), BYTES.size() + 1);
    assertThat(tokenizer.describe()).contains(String.valueOf(BYTES.size() + 3));
  }

  @Test
  void knowsCommonNamesOfSpecialTokensWithoutThoseFiles() {
    Tokenizer tokenizer = HfTokenizer.parse(file().toString(), "tiny");
    assertThat(tokenizer.bosId()).isEqualTo(BYTES.size());
    assertThat(tokenizer.eosId()).isEqualTo(BYTES.size() + 1);
    assertThat(tokenizer.padId()).isEqualTo(Tokenizer.NONE);
    assertThat(tokenizer.encodeWithSpecialTokens("a")).isEqualTo(tokenizer.encode("a"));
  }

  /** Qwen2.5's own form: no token begins a text, whatever the vocabulary holds. */
  @Test
  void nullMeansNone() throws IOException {
    Files.writeString(folder.resolve("tokenizer.json"), file().toString());
    Files.writeString(
        folder.resolve("tokenizer_config.json"), "{\"bos_token\": null, \"eos_token\": \"</s>\"}");
    Files.writeString(folder.resolve("special_tokens_map.json"), "{\"bos_token\": \"<s>\"}");
    Tokenizer tokenizer = Tokenizer.load(folder.toString());
    assertThat(tokenizer.bosId()).isEqualTo(Tokenizer.NONE);
    assertThat(tokenizer.eosId()).isEqualTo(BYTES.size() + 1);
  }

  @Test
  void aTokenOfOrdinaryTextIsNeverGuessed() {
    ObjectNode root = file();
    ((ObjectNode) root.get("added_tokens").get(0)).put("special", false);
    Tokenizer tokenizer = HfTokenizer.parse(root.toString(), "tiny");
    assertThat(tokenizer.bosId()).isEqualTo(Tokenizer.NONE);
    assertThat(tokenizer.eosId()).isEqualTo(BYTES.size() + 1);
  }

  @Test
  void anAddedTokenIsItsOwnText() {
    Tokenizer tokenizer = HfTokenizer.parse(file().toString(), "tiny");
    int[] ids = tokenizer.encode("né");
    assertThat(ids).containsExactly(BYTES.size() + 2);
    assertThat(tokenizer.decode(ids)).isEqualTo("né");
  }

  @Test
  void theFingerprintFollowsTheContent() {
    String json = file().toString();
    Tokenizer tokenizer = HfTokenizer.parse(json, "one");
    assertThat(tokenizer.fingerprint())
        .hasSize(64)
        .isEqualTo(HfTokenizer.parse(json, "two").fingerprint())
        .isNotEqualTo(HfTokenizer.parse(json.replace("</s>", "<e>"), "one").fingerprint())
        .isNotEqualTo(new ByteTokenizer().fingerprint());
  }

  @Test
  void givesEveryThreadTheSameIds() throws Exception {
    Tokenizer tokenizer = HfTokenizer.parse(file().toString(), "tiny");
    Random random = new Random(20260107);
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      texts.add(RandomText.next(random));
    }
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      Callable<List<int[]>> encodeAll = () -> texts.stream().map(tokenizer::encode).toList();
      List<Future<List<int[]>>> results =
          threads.invokeAll(List.of(encodeAll, encodeAll, encodeAll, encodeAll));
      Tokenizer fresh = HfTokenizer.parse(file().toString(), "tiny");
      for (Future<List<int[]>> result : results) {
        for (int i = 0; i < texts.size(); i++) {
          assertThat(result.get().get(i)).isEqualTo(fresh.encode(texts.get(i)));
        }
      }
    }
  }

  @Test
  void namesTheKindThatIsNotSupported() {
    refuses("normalizer", "{\"type\": \"Precompiled\"}", "normalizer", "Precompiled", "NFKC");
    refuses("pre_tokenizer", "{\"type\": \"UnicodeScripts\"}", "UnicodeScripts", "Metaspace");
    refuses("decoder", "{\"type\": \"CTC\"}", "decoder", "CTC", "ByteFallback");
    refuses("post_processor", "{\"type\": \"Own\"}", "post_processor", "TemplateProcessing");
    refuses("model", "{\"type\": \"Unigram\"}", "model", "Unigram", "BPE");
    refuses("model", "{\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": [\"a b\"]}", "'b'");
    refuses("model", "{\"type\": \"BPE\", \"vocab\": {\"a\": -7}, \"merges\": []}", "-7");
    refuses(
        "pre_tokenizer",
        "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Split\", \"behavior\":"
            + " \"Isolated\", \"pattern\": {\"Regex\": \"\\\\p{Klingon}\"}}]}",
        "Klingon");
  }

  @Test
  void refusesContradictingIds() {
    ObjectNode root = file();
    ((ArrayNode) root.get("added_tokens")).addObject().put("id", 3).put("content", "<new>");
    assertThatThrownBy(() -> HfTokenizer.parse(root.toString(), "tiny"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("<new>");
  }

  @Test
  void namesTheFileThatIsMissingOrDamaged() throws IOException {
    assertThatThrownBy(() -> HfTokenizer.read(folder))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(folder.resolve("tokenizer.json").toString());
    Path file = Files.write(folder.resolve("tokenizer.json"), new byte[] {'{', (byte) 0xFF, '}'});
    assertThatThrownBy(() -> HfTokenizer.read(file))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("not UTF-8");
    Files.writeString(file, "{\"model\": ");
    assertThatThrownBy(() -> HfTokenizer.read(file))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("malformed JSON");
  }

  @Test
  void givesUpOnPatternsThatBacktrackWithoutEnd() {
    SafePattern pattern = SafePattern.compile("\\s*x");
    assertThatThrownBy(() -> pattern.finder(" ".repeat(40_000)).find())
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("backtracks");
    SafePattern deep = SafePattern.compile("(?:a|b)*c");
    assertThatThrownBy(() -> deep.finder("ab".repeat(2_000_000)).find())
        .isInstanceOf(DuokaException.class);
  }

  private static void refuses(String field, String value, String... parts) {
    ObjectNode root = file();
    root.set(field, TinyBpe.parse(value));
    assertThatThrownBy(() -> HfTokenizer.parse(root.toString(), "tiny.json"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContainingAll(parts)
        .hasMessageContaining(field.equals("pre_tokenizer") ? "" : "tiny.json");
  }
}
