package dev.duoka.data.tokenizer;

import dev.duoka.formats.json.JsonField;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The added tokens of a file by id and by content. */
final class AddedTokenTable {
  private final List<AddedToken> tokens;
  private final Map<Integer, AddedToken> byId = new HashMap<>();
  private final Map<String, Integer> byContent = new HashMap<>();
  private final int size;

  private AddedTokenTable(List<AddedToken> tokens) {
    this.tokens = tokens;
    int largest = -1;
    for (AddedToken token : tokens) {
      byId.put(token.id(), token);
      byContent.put(token.content(), token.id());
      largest = Math.max(largest, token.id());
    }
    this.size = largest + 1;
  }

  static AddedTokenTable read(@Nullable JsonField field) {
    return new AddedTokenTable(field == null ? List.of() : field.each(AddedToken::read));
  }

  List<AddedToken> tokens() {
    return tokens;
  }

  boolean has(int id) {
    return byId.containsKey(id);
  }

  boolean isSpecial(int id) {
    AddedToken token = byId.get(id);
    return token != null && token.special();
  }

  @Nullable String content(int id) {
    AddedToken token = byId.get(id);
    return token == null ? null : token.content();
  }

  /** The id, or {@link Tokenizer#NONE}. */
  int id(String content) {
    return byContent.getOrDefault(content, Tokenizer.NONE);
  }

  /** One more than the largest id. */
  int size() {
    return size;
  }

  /** Refuses a file that gives one token two ids, or one id two tokens. */
  void checkAgainst(Vocabulary vocabulary, JsonField root) {
    for (AddedToken token : tokens) {
      int known = vocabulary.id(token.content());
      String there = vocabulary.token(token.id());
      boolean contradiction =
          known >= 0 ? known != token.id() : there != null || !token.equals(byId.get(token.id()));
      if (contradiction) {
        throw root.error(
            "gives the added token '"
                + token.content()
                + "' the id "
                + token.id()
                + ", but "
                + (known >= 0 ? "the vocabulary gives it " + known : "another token has that id"));
      }
    }
  }
}
