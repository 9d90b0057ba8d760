package dev.duoka.data.tokenizer;

import java.util.List;
import java.util.random.RandomGenerator;

/** Random text that is hard on tokenizers. */
final class RandomText {
  private static final List<String> FRAGMENTS =
      List.of(
          "public static int",
          "for (int i = 0; i < n; i++) {\n",
          "\t\t",
          "    ",
          "\r\n",
          "\n\n\n",
          " ",
          "  ",
          "\u00a0",
          "\u3000",
          "\u2028",
          "\u0085",
          "\u200b",
          "don't",
          "I'LL",
          "we've'd",
          "3.14159",
          "1234567",
          "٣٤٥",
          "½",
          "Ⅷ",
          "你好世界",
          "日本語のテスト",
          "カタカナ",
          "한국어",
          "中文，标点。",
          "😀",
          "👩‍👩‍👧",
          "🇨🇳",
          "é",
          "e\u0301",
          "ﬁ",
          "İstanbul",
          "ΣΑΣ",
          "straße",
          "ﷺ",
          "नमस्ते",
          "שלום",
          "café",
          "<html>",
          "</s>",
          "<|EOT|>",
          "<｜User｜>",
          "<tool>",
          " <tool> ",
          "word",
          "words",
          "_under_score",
          "$x^2+y=~`",
          "\"quoted\"",
          "!!!???",
          "...",
          "—",
          "▁",
          "▁▁a",
          "\uFFFD",
          "\u0000",
          "\u0007",
          "\u001b[0m",
          "𝒳",
          "𐍈",
          "\uE000",
          "\u0378",
          "x\u0332y",
          "Ġ",
          "Ċ",
          "<0x41>",
          "http://example.org/a?b=c&d=%20",
          "ABCdef",
          "aaaaaaaaaaaaaaaaaaaa");

  private RandomText() {}

  static String next(RandomGenerator random) {
    StringBuilder text = new StringBuilder();
    int parts = random.nextInt(1, 14);
    for (int i = 0; i < parts; i++) {
      switch (random.nextInt(8)) {
        case 0 -> text.append("\n".repeat(random.nextInt(4))).append(" ".repeat(random.nextInt(6)));
        case 1 -> text.appendCodePoint(random.nextInt(0x20, 0x7F));
        case 2 -> text.appendCodePoint(random.nextInt(0xA0, 0xD800));
        case 3 -> text.appendCodePoint(random.nextInt(0x10000, 0x1F700));
        default -> text.append(FRAGMENTS.get(random.nextInt(FRAGMENTS.size())));
      }
    }
    return text.toString();
  }

  /** As {@link #next}, with surrogates that have no partner. */
  static String broken(RandomGenerator random) {
    StringBuilder text = new StringBuilder(next(random));
    for (int i = random.nextInt(1, 5); i > 0; i--) {
      text.insert(random.nextInt(text.length() + 1), (char) random.nextInt(0xD800, 0xE000));
    }
    return text.toString();
  }
}
