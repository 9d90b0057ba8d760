package dev.duoka.data.tokenizer;

import dev.duoka.formats.json.JsonField;

/**
 * A token that is cut out of the text before anything else, such as an end marker.
 *
 * @param content its text
 * @param special whether it marks structure rather than being text
 * @param singleWord whether it counts only between characters that belong to no word
 * @param leftStrip whether it takes the white space before it along
 * @param rightStrip whether it takes the white space behind it along
 * @param normalized whether it is looked for in the normalised text
 */
record AddedToken(
    int id,
    String content,
    boolean special,
    boolean singleWord,
    boolean leftStrip,
    boolean rightStrip,
    boolean normalized) {
  static AddedToken read(JsonField field) {
    boolean special = field.flag("special", false);
    return new AddedToken(
        Vocabulary.tokenId(field.required("id")),
        field.required("content").string(),
        special,
        field.flag("single_word", false),
        field.flag("lstrip", false),
        field.flag("rstrip", false),
        field.flag("normalized", !special));
  }
}
