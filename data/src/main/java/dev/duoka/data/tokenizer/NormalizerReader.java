package dev.duoka.data.tokenizer;

import dev.duoka.formats.json.JsonField;
import java.text.Normalizer.Form;
import org.jspecify.annotations.Nullable;

/** Reads the {@code normalizer} of a tokenizer file. */
final class NormalizerReader {
  private static final String SUPPORTED =
      "Sequence, NFC, NFD, NFKC, NFKD, Replace, Prepend, Lowercase, Strip, StripAccents";

  private NormalizerReader() {}

  static Normalizer read(@Nullable JsonField field) {
    if (field == null) {
      return new Normalizer.Sequence(java.util.List.of());
    }
    JsonField type = field.required("type");
    return switch (type.string()) {
      case "Sequence" ->
          new Normalizer.Sequence(field.required("normalizers").each(NormalizerReader::read));
      case "NFC" -> new Normalizer.Unicode(Form.NFC);
      case "NFD" -> new Normalizer.Unicode(Form.NFD);
      case "NFKC" -> new Normalizer.Unicode(Form.NFKC);
      case "NFKD" -> new Normalizer.Unicode(Form.NFKD);
      case "Replace" ->
          new Normalizer.Replace(
              pattern(field.required("pattern")), field.required("content").string());
      case "Prepend" -> new Normalizer.Prepend(field.required("prepend").string());
      case "Lowercase" -> new Normalizer.Lowercase();
      case "Strip" ->
          new Normalizer.Strip(
              field.required("strip_left").flag(), field.required("strip_right").flag());
      case "StripAccents" -> new Normalizer.StripAccents();
      default -> throw JsonFile.unsupported(field, type.string(), SUPPORTED);
    };
  }

  /** {@code {"String": …}} for plain text, {@code {"Regex": …}} for a pattern. */
  static SafePattern pattern(JsonField field) {
    JsonField plain = field.optional("String");
    if (plain != null) {
      return SafePattern.literal(plain.string());
    }
    return SafePattern.compile(field.required("Regex").string());
  }
}
