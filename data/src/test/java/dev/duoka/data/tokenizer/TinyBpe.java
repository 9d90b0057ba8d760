package dev.duoka.data.tokenizer;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Trains a small BPE vocabulary and writes tokenizer.json files around it. */
final class TinyBpe {
  static final String CORPUS =
      """
      public static int main(String[] args) { for (int i = 0; i < 10; i++) { return i; } }
          private final int value; this.value = value; if (value == null) { throw new Error(); }
      The tokenizer splits the text into the words and the words into the tokens of the words.
      It isn't what we've said, they're here and I'll don't know; the other 1234567890 numbers.
      你好世界，世界你好。中文的句子在这里。日本語のテスト、カタカナ。한국어 한국어
      😀😀 café café naïve straße é e\u0301 <html> </html>  \t\t\t    \n\n\n
      """;

  private static final JsonMapper MAPPER = new JsonMapper();

  private final Map<String, Integer> vocabulary = new LinkedHashMap<>();
  private final List<String[]> merges = new ArrayList<>();

  /** Over the letters of bytes. */
  static TinyBpe ofBytes(int merges) {
    TinyBpe bpe = new TinyBpe();
    for (char c = '!'; c < 256 + 68; c++) {
      if (ByteAlphabet.bytes(String.valueOf(c)).length == 1) {
        bpe.token(String.valueOf(c));
      }
    }
    PreTokenizer gpt2 = new PreTokenizer.ByteLevel(false, true);
    bpe.train(gpt2.apply(Pieces.whole(CORPUS, true)), merges);
    return bpe;
  }

  /** Over characters with the sign ▁, and the tokens of bytes. */
  static TinyBpe ofCharacters(int merges, boolean byteTokens) {
    TinyBpe bpe = new TinyBpe();
    bpe.token("<unk>");
    bpe.token("<s>");
    bpe.token("</s>");
    for (int i = 0; byteTokens && i < 256; i++) {
      bpe.token(String.format("<0x%02X>", i));
    }
    Pieces words =
        new PreTokenizer.Metaspace("▁", PreTokenizer.Metaspace.Prepend.ALWAYS, true)
            .apply(Pieces.whole(CORPUS, true));
    words.text().codePoints().distinct().forEach(c -> bpe.token(Character.toString(c)));
    bpe.train(words, merges);
    return bpe;
  }

  ObjectNode json() {
    ObjectNode root = MAPPER.createObjectNode();
    root.put("version", "1.0");
    root.putNull("truncation");
    root.putNull("padding");
    root.putArray("added_tokens");
    root.putNull("normalizer");
    root.putNull("pre_tokenizer");
    root.putNull("post_processor");
    root.putNull("decoder");
    ObjectNode model = root.putObject("model");
    model.put("type", "BPE");
    model.putNull("dropout");
    model.putNull("unk_token");
    model.putNull("continuing_subword_prefix");
    model.putNull("end_of_word_suffix");
    model.put("fuse_unk", false);
    model.put("byte_fallback", false);
    model.put("ignore_merges", false);
    ObjectNode vocab = model.putObject("vocab");
    vocabulary.forEach(vocab::put);
    ArrayNode list = model.putArray("merges");
    merges.forEach(pair -> list.add(pair[0] + " " + pair[1]));
    return root;
  }

  int size() {
    return vocabulary.size();
  }

  List<String[]> merges() {
    return merges;
  }

  static ObjectNode parse(String json) {
    return (ObjectNode) MAPPER.readTree(json);
  }

  private void token(String token) {
    vocabulary.putIfAbsent(token, vocabulary.size());
  }

  private void train(Pieces words, int count) {
    List<List<String>> split = new ArrayList<>();
    for (int i = 0; i < words.count(); i++) {
      String word = words.text().substring(words.start(i), words.end(i));
      split.add(new ArrayList<>(word.codePoints().mapToObj(Character::toString).toList()));
    }
    for (int step = 0; step < count; step++) {
      Map<String, Integer> pairs = new HashMap<>();
      for (List<String> word : split) {
        for (int i = 0; i + 1 < word.size(); i++) {
          pairs.merge(word.get(i) + " " + word.get(i + 1), 1, Integer::sum);
        }
      }
      // Ties go to the pair that is last in the alphabet, so that every run is the same.
      Comparator<Map.Entry<String, Integer>> order =
          Map.Entry.<String, Integer>comparingByValue().thenComparing(Map.Entry.comparingByKey());
      Map.Entry<String, Integer> best = pairs.entrySet().stream().max(order).orElse(null);
      if (best == null) {
        return;
      }
      String[] pair = best.getKey().split(" ");
      merges.add(pair);
      token(pair[0] + pair[1]);
      for (List<String> word : split) {
        for (int i = 0; i + 1 < word.size(); i++) {
          if (word.get(i).equals(pair[0]) && word.get(i + 1).equals(pair[1])) {
            word.set(i, pair[0] + pair[1]);
            word.remove(i + 1);
          }
        }
      }
    }
  }
}
