package dev.duoka.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.DuokaException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.node.ObjectNode;

/** Damaged tokenizer files: each gives a tokenizer or a DuokaException, and nothing else. */
class HfTokenizerFuzzTests {
  private static final long SEED = 20260104;

  private static final List<String> WORDS =
      List.of(
          "null",
          "true",
          "-1",
          "1e99",
          "4194304",
          "99999999999999999999",
          "\"\"",
          "[]",
          "{}",
          "[[]]",
          "\"Split\"",
          "\"ByteLevel\"",
          "\"Metaspace\"",
          "\"Sequence\"",
          "\"Regex\"",
          "\"String\"",
          "(",
          ")",
          "[",
          "]",
          "{",
          "}",
          "\\\\",
          "\\\\p",
          "(a+)+$",
          "(?:x|y)*",
          "*",
          "+",
          "\\u0000",
          "\\ud800",
          "\"type\"",
          "\"NFKC\"",
          "\"Strip\"",
          ",",
          ":",
          "😀");

  @Test
  void survivesDamagedFiles() {
    String json = small();
    Random random = new Random(SEED);
    int read = 0;
    for (int i = 0; i < 3_000; i++) {
      String damaged = damage(json, random);
      try {
        HfTokenizer tokenizer = HfTokenizer.parse(damaged, "damaged " + i);
        read++;
        String text = RandomText.broken(random);
        int[] ids = tokenizer.encode(text);
        tokenizer.decode(ids);
        for (int id : ids) {
          assertThat(id).isBetween(0, tokenizer.vocabularySize() - 1);
        }
      } catch (DuokaException e) {
        assertThat(e.getMessage()).isNotBlank();
      } catch (RuntimeException | Error e) {
        throw new AssertionError("mutation " + i + " of seed " + SEED + ": " + damaged, e);
      }
    }
    assertThat(read).as("files that were still good").isBetween(50, 2_900);
  }

  private static String damage(String json, Random random) {
    StringBuilder text = new StringBuilder(json);
    for (int times = random.nextInt(1, 4); times > 0; times--) {
      int at = random.nextInt(text.length());
      int end = Math.min(text.length(), at + random.nextInt(1, 12));
      switch (random.nextInt(5)) {
        case 0 -> text.delete(at, end);
        case 1 -> text.insert(at, WORDS.get(random.nextInt(WORDS.size())));
        case 2 -> text.replace(at, end, WORDS.get(random.nextInt(WORDS.size())));
        case 3 -> text.insert(at, text.substring(at, Math.min(text.length(), at + 200)));
        default -> replaceValue(text, random);
      }
    }
    return text.toString();
  }

  /** Replaces what stands behind a colon, so that the file stays JSON more often. */
  private static void replaceValue(StringBuilder text, Random random) {
    int colon = text.indexOf(":", random.nextInt(text.length()));
    if (colon < 0) {
      return;
    }
    int end = colon + 1;
    while (end < text.length() && ",}]".indexOf(text.charAt(end)) < 0) {
      end++;
    }
    text.replace(colon + 1, end, WORDS.get(random.nextInt(WORDS.size())));
  }

  private static String small() {
    ObjectNode root = TinyBpe.ofCharacters(40, false).json();
    root.set(
        "normalizer",
        TinyBpe.parse(
            """
            {"type": "Sequence", "normalizers": [
              {"type": "Replace", "pattern": {"Regex": "[ \\\\t]+"}, "content": " "},
              {"type": "Strip", "strip_left": true, "strip_right": true}, {"type": "NFC"}]}\
            """));
    root.set(
        "pre_tokenizer",
        TinyBpe.parse(
            """
            {"type": "Sequence", "pretokenizers": [
              {"type": "Split", "pattern": {"Regex": "\\\\s+(?!\\\\S)|\\\\p{L}{1,3}+|[^\\\\s\\\\p{N}]?\\\\w+"},
               "behavior": "Isolated", "invert": false},
              {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true},
              {"type": "Digits", "individual_digits": true}]}\
            """));
    root.set(
        "post_processor",
        TinyBpe.parse(
            """
            {"type": "TemplateProcessing",
             "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                        {"Sequence": {"id": "A", "type_id": 0}}],
             "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}\
            """));
    root.set(
        "decoder",
        TinyBpe.parse(
            """
            {"type": "Sequence", "decoders": [
              {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
              {"type": "ByteFallback"}, {"type": "Fuse"},
              {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}\
            """));
    root.putArray("added_tokens")
        .addObject()
        .put("id", 1)
        .put("content", "<s>")
        .put("special", true)
        .put("lstrip", true);
    return root.toString();
  }
}
