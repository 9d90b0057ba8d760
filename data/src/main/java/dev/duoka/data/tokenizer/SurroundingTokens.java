package dev.duoka.data.tokenizer;

import dev.duoka.formats.json.JsonField;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The ids that a {@code post_processor} puts around a single text.
 *
 * @param before usually the bos token
 * @param after sometimes the eos token
 */
record SurroundingTokens(List<Integer> before, List<Integer> after) {
  private static final String SUPPORTED =
      "TemplateProcessing, ByteLevel, BertProcessing, RobertaProcessing, Sequence";

  static final SurroundingTokens NONE = new SurroundingTokens(List.of(), List.of());

  static SurroundingTokens read(@Nullable JsonField field) {
    if (field == null) {
      return NONE;
    }
    JsonField type = field.required("type");
    return switch (type.string()) {
      // It only corrects the places of tokens in the text.
      case "ByteLevel" -> NONE;
      case "TemplateProcessing" -> template(field);
      case "BertProcessing", "RobertaProcessing" ->
          new SurroundingTokens(
              List.of(pairId(field.required("cls"))), List.of(pairId(field.required("sep"))));
      case "Sequence" -> {
        SurroundingTokens all = NONE;
        for (SurroundingTokens step : field.required("processors").each(SurroundingTokens::read)) {
          all = all.inside(step);
        }
        yield all;
      }
      default -> throw JsonFile.unsupported(field, type.string(), SUPPORTED);
    };
  }

  /** These tokens next to the text, the other ones around them. */
  private SurroundingTokens inside(SurroundingTokens outer) {
    List<Integer> front = new ArrayList<>(outer.before);
    front.addAll(before);
    List<Integer> back = new ArrayList<>(after);
    back.addAll(outer.after);
    return new SurroundingTokens(List.copyOf(front), List.copyOf(back));
  }

  private static SurroundingTokens template(JsonField field) {
    List<Integer> before = new ArrayList<>();
    List<Integer> after = new ArrayList<>();
    boolean[] seen = new boolean[1];
    field
        .required("single")
        .each(
            part -> {
              JsonField token = part.optional("SpecialToken");
              if (token == null) {
                part.required("Sequence");
                seen[0] = true;
                return part;
              }
              String name = token.required("id").string();
              List<Integer> ids =
                  field
                      .required("special_tokens")
                      .required(name)
                      .required("ids")
                      .each(Vocabulary::tokenId);
              (seen[0] ? after : before).addAll(ids);
              return part;
            });
    return new SurroundingTokens(List.copyOf(before), List.copyOf(after));
  }

  private static int pairId(JsonField field) {
    List<JsonField> pair = field.each(item -> item);
    if (pair.size() != 2) {
      throw field.error("should be a token and its id");
    }
    return Vocabulary.tokenId(pair.get(1));
  }
}
