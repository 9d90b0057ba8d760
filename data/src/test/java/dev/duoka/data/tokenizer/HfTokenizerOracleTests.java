package dev.duoka.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Small tokenizers of every supported kind against the tokenizers library. */
class HfTokenizerOracleTests {
  private static final long SEED = 20260103;

  private static final String BYTE_LEVEL =
      "{\"type\": \"ByteLevel\", \"add_prefix_space\": %s, \"trim_offsets\": true, \"use_regex\":"
          + " %s}";

  private static final TinyBpe BYTES = TinyBpe.ofBytes(300);
  private static final TinyBpe CHARACTERS = TinyBpe.ofCharacters(300, true);
  private static final TinyBpe LETTERS = TinyBpe.ofCharacters(300, false);

  /** A name, the file, and whether decoding gives the text back. */
  record Kind(String name, String json, boolean lossless) {
    /** Normal forms only of the older characters: the library has the tables of Unicode 9. */
    String text(Random random) {
      String text = RandomText.next(random);
      return json.contains("NFKC") || json.contains("NFD") || json.contains("NFC")
          ? text.replaceAll("[\\x{10000}-\\x{10FFFF}]", "")
          : text;
    }

    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Kind> kinds() {
    return Stream.of(
        byteLevel("gpt2", split("Isolated", false, "x(?!x)x"), true),
        byteLevel("prefix", BYTE_LEVEL.formatted(true, true), false),
        byteLevel("no pre-tokenizer but bytes", BYTE_LEVEL.formatted(false, false), true),
        byteLevel("deepseek-llm", DEEPSEEK_LLM, true),
        byteLevel("removed", split("Removed", false, "\\s+"), false),
        byteLevel("inverted", split("Removed", true, "\\w+|[^\\w\\s]+"), false),
        byteLevel("merged with previous", split("MergedWithPrevious", false, "\\p{P}|e"), true),
        byteLevel("merged with next", split("MergedWithNext", false, "\\p{P}|e"), true),
        byteLevel("contiguous", split("Contiguous", false, "[0-9]|\\s"), true),
        byteLevel("empty matches", split("Isolated", false, "x*"), true),
        byteLevel("case", split("Isolated", false, "(?i:'s|'t|'re|'ll)|\\p{Lu}+\\p{Ll}*"), true),
        byteLevel(
            "possessive",
            split("Isolated", false, "[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+"),
            true),
        byteLevel("braces", split("Isolated", false, "{|a{,2}|b{2}?"), true),
        byteLevel("lines", split("Isolated", false, "^ +|.$|\\bw"), true),
        byteLevel("digits", sequence("{\"type\": \"Digits\", \"individual_digits\": true}"), true),
        byteLevel(
            "digit runs", sequence("{\"type\": \"Digits\", \"individual_digits\": false}"), true),
        byteLevel(
            "punctuation",
            sequence("{\"type\": \"Punctuation\", \"behavior\": \"Contiguous\"}"),
            true),
        byteLevel("whitespace", sequence("{\"type\": \"Whitespace\"}"), false),
        byteLevel("whitespace split", sequence("{\"type\": \"WhitespaceSplit\"}"), false),
        byteLevel("bert", sequence("{\"type\": \"BertPreTokenizer\"}"), false),
        byteLevel(
            "delimiter",
            sequence("{\"type\": \"CharDelimiterSplit\", \"delimiter\": \"e\"}"),
            false),
        normalized("NFC", "{\"type\": \"NFC\"}"),
        normalized("NFKC", "{\"type\": \"NFKC\"}"),
        normalized(
            "NFD without accents",
            "{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"NFD\"}, {\"type\":"
                + " \"StripAccents\"}]}"),
        normalized("lower case", "{\"type\": \"Lowercase\"}"),
        normalized("strip", "{\"type\": \"Strip\", \"strip_left\": true, \"strip_right\": true}"),
        normalized(
            "replace",
            "{\"type\": \"Replace\", \"pattern\": {\"Regex\": \"\\\\s+\"}, \"content\": \"$1 \"}"),
        llama(true),
        llama(false),
        metaspace("always", true),
        metaspace("first", true),
        metaspace("never", false),
        unknown(true),
        unknown(false));
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void givesTheIdsOfTheLibrary(Kind kind) {
    HfTokenizer tokenizer = HfTokenizer.parse(kind.json, kind.name);
    Random random = new Random(SEED);
    try (Oracle oracle = new Oracle(kind.json)) {
      for (int i = 0; i < 400; i++) {
        String text = kind.text(random);
        int[] ids = tokenizer.encode(text);
        assertThat(ids).as("text %d of seed %d: %s", i, SEED, text).isEqualTo(oracle.encode(text));
        assertThat(tokenizer.encodeWithSpecialTokens(text)).isEqualTo(oracle.encode(text, true));
        assertThat(tokenizer.decode(ids)).as("text %d", i).isEqualTo(oracle.decode(ids));
        if (kind.lossless) {
          assertThat(tokenizer.decode(ids)).isEqualTo(text);
        }
        StreamingDecoder stream = tokenizer.streamingDecoder();
        StringBuilder streamed = new StringBuilder();
        for (int id : ids) {
          streamed.append(stream.add(id));
        }
        assertThat(streamed.append(stream.finish())).hasToString(tokenizer.decode(ids));
      }
    }
  }

  @Test
  void readsUnpairedSurrogatesAsReplacementCharacters() {
    HfTokenizer tokenizer = HfTokenizer.parse(kinds().findFirst().orElseThrow().json, "tiny");
    Random random = new Random(SEED);
    for (int i = 0; i < 400; i++) {
      String text = RandomText.broken(random);
      int[] ids = tokenizer.encode(text);
      assertThat(ids).isEqualTo(tokenizer.encode(WellFormed.text(text)));
      assertThat(tokenizer.decode(ids)).isEqualTo(WellFormed.text(text));
    }
    assertThat(tokenizer.encode("a\uD83D")).isEqualTo(tokenizer.encode("a\uFFFD"));
  }

  @Test
  void longPiecesMergeAsTheLibraryDoes() {
    String json = byteLevel("plain", BYTE_LEVEL.formatted(false, false), true).json;
    HfTokenizer tokenizer = HfTokenizer.parse(json, "plain");
    Random random = new Random(SEED);
    try (Oracle oracle = new Oracle(json)) {
      for (int i = 0; i < 50; i++) {
        StringBuilder text = new StringBuilder();
        for (int j = 0; j < 40; j++) {
          text.append(RandomText.next(random)).append(TinyBpe.CORPUS, 0, random.nextInt(300));
        }
        assertThat(tokenizer.encode(text.toString())).isEqualTo(oracle.encode(text.toString()));
      }
    }
  }

  private static final String DEEPSEEK_LLM =
      """
      {"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": "[\\r\\n]"}, "behavior": "Isolated", "invert": false},
        {"type": "Split", "pattern": {"Regex": "\\\\s?\\\\p{L}+"}, "behavior": "Isolated", "invert": false},
        {"type": "Split", "pattern": {"Regex": "\\\\s?\\\\p{P}+"}, "behavior": "Isolated", "invert": false},
        {"type": "Split", "pattern": {"Regex": "[一-龥ࠀ-一가-퟿]+"}, "behavior": "Isolated", "invert": false},
        {"type": "Digits", "individual_digits": true},
        {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}]}
      """;

  private static Kind byteLevel(String name, String preTokenizer, boolean lossless) {
    ObjectNode root = BYTES.json();
    root.set("pre_tokenizer", TinyBpe.parse(preTokenizer));
    root.set("decoder", TinyBpe.parse(BYTE_LEVEL.formatted(true, true)));
    addTokens(root, BYTES.size(), lossless);
    return new Kind(name, root.toString(), lossless);
  }

  private static Kind normalized(String name, String normalizer) {
    ObjectNode root = TinyBpe.parse(byteLevel(name, BYTE_LEVEL.formatted(false, true), false).json);
    root.set("normalizer", TinyBpe.parse(normalizer));
    return new Kind(name, root.toString(), false);
  }

  /** As Llama 2's file: normalizer instead of pre-tokenizer, and a template with bos. */
  private static Kind llama(boolean pairs) {
    ObjectNode root = CHARACTERS.json();
    root.set(
        "normalizer",
        TinyBpe.parse(
            """
            {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
              {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}\
            """));
    root.set(
        "post_processor",
        TinyBpe.parse(
            """
            {"type": "TemplateProcessing",
             "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                        {"SpecialToken": {"id": "</s>", "type_id": 0}}],
             "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
             "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]},
                                "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]}}}\
            """));
    root.set(
        "decoder",
        TinyBpe.parse(
            """
            {"type": "Sequence", "decoders": [
              {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
              {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}\
            """));
    ObjectNode model = (ObjectNode) root.get("model");
    model.put("byte_fallback", true).put("unk_token", "<unk>").put("fuse_unk", true);
    model.put("ignore_merges", pairs);
    if (pairs) {
      ArrayNode merges = model.putArray("merges");
      CHARACTERS.merges().forEach(pair -> merges.addArray().add(pair[0]).add(pair[1]));
    }
    ArrayNode added = (ArrayNode) root.get("added_tokens");
    List.of("<unk>", "<s>", "</s>").forEach(name -> token(added, added.size(), name, true, ""));
    return new Kind(pairs ? "llama, merges as pairs" : "llama", root.toString(), false);
  }

  private static Kind metaspace(String scheme, boolean split) {
    ObjectNode root = CHARACTERS.json();
    String space =
        "{\"type\": \"Metaspace\", \"replacement\": \"▁\", \"prepend_scheme\": \"%s\", \"split\": %s}"
            .formatted(scheme, split);
    root.set("pre_tokenizer", TinyBpe.parse(space));
    root.set(
        "decoder",
        TinyBpe.parse(
            "{\"type\": \"Sequence\", \"decoders\": ["
                + space
                + ", {\"type\": \"ByteFallback\"}]}"));
    ((ObjectNode) root.get("model")).put("byte_fallback", true);
    ArrayNode added = (ArrayNode) root.get("added_tokens");
    List.of("<unk>", "<s>", "</s>").forEach(name -> token(added, added.size(), name, true, ""));
    return new Kind("metaspace " + scheme, root.toString(), false);
  }

  /** Characters that the vocabulary lacks. */
  private static Kind unknown(boolean fuse) {
    ObjectNode root = LETTERS.json();
    ((ObjectNode) root.get("model")).put("unk_token", "<unk>").put("fuse_unk", fuse);
    return new Kind("unknown" + (fuse ? ", fused" : ""), root.toString(), false);
  }

  private static void addTokens(ObjectNode root, int first, boolean lossless) {
    ArrayNode added = (ArrayNode) root.get("added_tokens");
    token(added, first, "<｜begin▁of▁sentence｜>", true, "");
    token(added, first + 1, "<|EOT|>", true, "");
    token(added, first + 2, "<｜User｜>", false, "normalized");
    token(added, first + 3, "word", false, "single_word");
    token(added, first + 4, "words", false, "");
    token(added, first + 5, "<tool>", false, lossless ? "" : "lstrip rstrip");
    token(added, first + 6, "ΣΑΣ", false, "normalized");
  }

  private static void token(
      ArrayNode added, int id, String content, boolean special, String flags) {
    ObjectNode token = added.addObject();
    token.put("id", id).put("content", content).put("special", special);
    for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized")) {
      token.put(flag, flags.contains(flag));
    }
  }

  private static String sequence(String first) {
    return "{\"type\": \"Sequence\", \"pretokenizers\": ["
        + first
        + ", "
        + BYTE_LEVEL.formatted(false, false)
        + "]}";
  }

  private static String split(String behavior, boolean invert, String regex) {
    ObjectNode split = TinyBpe.parse("{\"type\": \"Split\"}");
    split.putObject("pattern").put("Regex", regex);
    split.put("behavior", behavior).put("invert", invert);
    return sequence(split.toString());
  }
}
