package dev.duoka.data.tokenizer;

import dev.duoka.formats.json.JsonField;
import java.util.List;

/**
 * From text to ids in the order of the Hugging Face library: added tokens are cut out, the text
 * between them is normalised, added tokens of the normalised form are cut out, what is left is
 * split into pieces, and the model encodes each piece.
 */
final class HfPipeline {
  private final AddedTokens raw;
  private final AddedTokens normalized;
  private final Normalizer normalizer;
  private final PreTokenizer preTokenizer;
  private final BpeModel model;

  private HfPipeline(
      List<AddedToken> added, Normalizer normalizer, PreTokenizer preTokenizer, BpeModel model) {
    this.normalizer = normalizer;
    this.preTokenizer = preTokenizer;
    this.model = model;
    this.raw =
        new AddedTokens(
            added.stream().filter(token -> !token.normalized()).toList(), AddedToken::content);
    this.normalized =
        new AddedTokens(
            added.stream().filter(AddedToken::normalized).toList(),
            token -> normalizer.apply(token.content()));
  }

  static HfPipeline read(JsonField root, AddedTokenTable added) {
    return new HfPipeline(
        added.tokens(),
        NormalizerReader.read(root.optional("normalizer")),
        PreTokenizerReader.read(root.optional("pre_tokenizer")),
        BpeReader.read(root.required("model")));
  }

  Vocabulary vocabulary() {
    return model.vocabulary();
  }

  /** The ids of well-formed text. */
  int[] encode(String text) {
    IntList ids = new IntList(text.length() / 3);
    cut(
        raw,
        text,
        ids,
        (start, end) ->
            encodeBetween(normalizer.apply(text.substring(start, end)), start == 0, ids));
    return ids.toArray();
  }

  private void encodeBetween(String text, boolean atStart, IntList ids) {
    cut(
        normalized,
        text,
        ids,
        (start, end) -> {
          Pieces part = Pieces.whole(text.substring(start, end), atStart && start == 0);
          model.encode(preTokenizer.apply(part), ids);
        });
  }

  /** Text between two added tokens. */
  private interface Between {
    void encode(int start, int end);
  }

  /** Puts the ids of the added tokens into their places between those of the text. */
  private static void cut(AddedTokens tokens, String text, IntList ids, Between between) {
    tokens.cut(
        text,
        new AddedTokens.Parts() {
          @Override
          public void token(AddedToken token) {
            ids.add(token.id());
          }

          @Override
          public void text(int start, int end) {
            between.encode(start, end);
          }
        });
  }
}
