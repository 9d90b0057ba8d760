package dev.duoka.data.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ObjectNode;

/** What each class of characters in a pattern matches, against the tokenizers library. */
class RegexOracleTests {
  private static final TinyBpe BYTES = TinyBpe.ofBytes(0);

  /**
   * Each code point stands alone between two 'a'; the pattern splits it off or not, which shows in
   * the ids because "aXa" has other merges than "a", "X", "a". Code points of Unicode versions
   * after the library's are left out.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "\\s",
        "\\S",
        "\\d",
        "\\D",
        "\\w",
        "\\W",
        "\\h",
        "\\p{L}",
        "\\p{N}",
        "\\p{P}",
        "\\p{S}",
        "\\p{M}",
        "\\p{Z}",
        "\\p{Lu}",
        "\\p{Ll}",
        "\\p{^L}",
        "\\P{L}",
        "\\p{Han}",
        "\\p{Hiragana}",
        "\\p{Letter}",
        "[[:alpha:]]",
        "[[:space:]]",
        "[^\\s\\p{L}\\p{N}]",
        "[^\\r\\n\\p{L}\\p{P}\\p{S}]",
        "\\v",
        ".",
        "[\\w&&[^\\d]]",
        "(?i:[k-s])",
        "\\x41|\\x{1F600}",
        "[一-龥぀-ゟ゠-ヿ]",
        "[]a]",
        "[{}(]",
        "[[:punct:]]",
        "[[:alnum:]]",
        "[[:word:]]",
        "\\p{Punct}",
        "\\p{Alnum}",
        "\\p{Word}",
        "\\p{Alpha}",
        "\\b.",
        ".\\B",
        "[[:upper:]]",
        "[[:lower:]]",
        "[[:digit:]]",
        "[[:xdigit:]]",
        "[[:blank:]]",
        "\\p{C}",
        "\\p{ASCII}",
        "[[:cntrl:]]",
        "\\p{Digit}",
        "\\p{Space}",
        "[[:^alpha:]]",
        "\\p{Any}",
        "\\p{Emoji}",
        "\\p{Uppercase_Letter}",
        "[^\\w]",
        "[^[:space:]x]"
      })
  void matchesTheSameCharacters(String regex) {
    ObjectNode root = BYTES.json();
    ObjectNode split =
        TinyBpe.parse("{\"type\": \"Split\", \"behavior\": \"Removed\", \"invert\": false}");
    split.putObject("pattern").put("Regex", regex);
    root.set(
        "pre_tokenizer",
        TinyBpe.parse(
            "{\"type\": \"Sequence\", \"pretokenizers\": ["
                + split
                + ", {\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true,"
                + " \"use_regex\": false}]}"));
    HfTokenizer ours = HfTokenizer.parse(root.toString(), regex);
    List<String> different = new ArrayList<>();
    try (Oracle oracle = new Oracle(root.toString())) {
      for (int from = 0; from < 0x20000; from += 256) {
        StringBuilder block = new StringBuilder();
        for (int c = from; c < from + 256; c++) {
          if (Character.isDefined(c) && !(c >= 0xD800 && c < 0xE000)) {
            block.appendCodePoint(c);
          }
        }
        if (!java.util.Arrays.equals(
            ours.encode(block.toString()), oracle.encode(block.toString()))) {
          block
              .codePoints()
              .forEach(
                  c -> {
                    String one = Character.toString(c);
                    if (!java.util.Arrays.equals(ours.encode(one), oracle.encode(one))) {
                      different.add(String.format("%04X", c));
                    }
                  });
        }
      }
    }
    assertThat(different).as("characters that %s splits otherwise", regex).isEmpty();
  }
}
