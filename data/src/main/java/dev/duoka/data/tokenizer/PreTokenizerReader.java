package dev.duoka.data.tokenizer;

import dev.duoka.formats.json.JsonField;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads the {@code pre_tokenizer} of a tokenizer file. */
final class PreTokenizerReader {
  private static final String SUPPORTED =
      "Sequence, Split, ByteLevel, Metaspace, Digits, Punctuation, Whitespace, WhitespaceSplit, "
          + "CharDelimiterSplit, BertPreTokenizer";

  private static final String PUNCTUATION = "[\\p{P}!-/:-@\\x5B-`{-~]";

  private PreTokenizerReader() {}

  static PreTokenizer read(@Nullable JsonField field) {
    if (field == null) {
      return new PreTokenizer.Sequence(List.of());
    }
    JsonField type = field.required("type");
    return switch (type.string()) {
      case "Sequence" ->
          new PreTokenizer.Sequence(field.required("pretokenizers").each(PreTokenizerReader::read));
      case "Split" ->
          new PreTokenizer.Split(
              NormalizerReader.pattern(field.required("pattern")),
              field.flag("invert", false),
              SplitBehavior.read(field.required("behavior"), SplitBehavior.ISOLATED));
      case "ByteLevel" ->
          new PreTokenizer.ByteLevel(
              field.required("add_prefix_space").flag(), field.flag("use_regex", true));
      case "Metaspace" -> metaspace(field);
      case "Digits" ->
          split(
              "\\p{N}",
              field.flag("individual_digits", false)
                  ? SplitBehavior.ISOLATED
                  : SplitBehavior.CONTIGUOUS);
      case "Punctuation" ->
          split(
              PUNCTUATION, SplitBehavior.read(field.optional("behavior"), SplitBehavior.ISOLATED));
      case "Whitespace" ->
          new PreTokenizer.Split(
              SafePattern.compile("\\w+|[^\\w\\s]+"), true, SplitBehavior.REMOVED);
      case "WhitespaceSplit" -> split("\\s", SplitBehavior.REMOVED);
      case "CharDelimiterSplit" ->
          new PreTokenizer.Split(
              SafePattern.literal(oneCharacter(field.required("delimiter"))),
              false,
              SplitBehavior.REMOVED);
      case "BertPreTokenizer" ->
          new PreTokenizer.Sequence(
              List.of(
                  split("\\s", SplitBehavior.REMOVED), split(PUNCTUATION, SplitBehavior.ISOLATED)));
      default -> throw JsonFile.unsupported(field, type.string(), SUPPORTED);
    };
  }

  /** The sign of a Metaspace kind, as the pre-tokenizer and the decoder have it. */
  static String oneCharacter(JsonField field) {
    String text = field.string();
    if (text.codePointCount(0, text.length()) != 1) {
      throw field.error("should be one character but is '" + text + "'");
    }
    return text;
  }

  /** Newer files say {@code prepend_scheme}, older ones {@code add_prefix_space}. */
  static PreTokenizer.Metaspace.Prepend prepend(JsonField field) {
    JsonField scheme = field.optional("prepend_scheme");
    if (scheme == null) {
      return field.flag("add_prefix_space", true)
          ? PreTokenizer.Metaspace.Prepend.ALWAYS
          : PreTokenizer.Metaspace.Prepend.NEVER;
    }
    return switch (scheme.string()) {
      case "always" -> PreTokenizer.Metaspace.Prepend.ALWAYS;
      case "first" -> PreTokenizer.Metaspace.Prepend.FIRST;
      case "never" -> PreTokenizer.Metaspace.Prepend.NEVER;
      default -> throw JsonFile.unsupported(scheme, scheme.string(), "always, first, never");
    };
  }

  private static PreTokenizer metaspace(JsonField field) {
    return new PreTokenizer.Metaspace(
        oneCharacter(field.required("replacement")), prepend(field), field.flag("split", true));
  }

  private static PreTokenizer split(String regex, SplitBehavior behavior) {
    return new PreTokenizer.Split(SafePattern.compile(regex), false, behavior);
  }
}
