package dev.duoka.data.tokenizer;

import dev.duoka.formats.json.JsonField;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads the {@code decoder} of a tokenizer file. */
final class DecoderReader {
  private static final String SUPPORTED =
      "Sequence, ByteLevel, ByteFallback, Fuse, Replace, Strip, Metaspace";

  private DecoderReader() {}

  static TokenDecoder read(@Nullable JsonField field) {
    if (field == null) {
      return new TokenDecoder.Spaced();
    }
    JsonField type = field.required("type");
    return switch (type.string()) {
      case "Sequence" ->
          new TokenDecoder.Sequence(field.required("decoders").each(DecoderReader::read));
      case "ByteLevel" -> new TokenDecoder.ByteLevel();
      case "ByteFallback" -> new TokenDecoder.ByteFallback();
      case "Fuse" -> new TokenDecoder.Fuse();
      case "Replace" -> replace(field);
      case "Strip" -> strip(field);
      case "Metaspace" ->
          new TokenDecoder.Metaspace(
              PreTokenizerReader.oneCharacter(field.required("replacement")),
              PreTokenizerReader.prepend(field) != PreTokenizer.Metaspace.Prepend.NEVER);
      default -> throw JsonFile.unsupported(field, type.string(), SUPPORTED);
    };
  }

  /** Whether the bytes of each token are the same wherever it stands. */
  static boolean isByteLevel(TokenDecoder decoder) {
    return switch (decoder) {
      case TokenDecoder.ByteLevel _ -> true;
      case TokenDecoder.Sequence(List<TokenDecoder> steps) ->
          !steps.isEmpty()
              && isByteLevel(steps.getFirst())
              && steps.stream().skip(1).allMatch(step -> step instanceof TokenDecoder.Fuse);
      case TokenDecoder.Fuse _, TokenDecoder.ByteFallback _, TokenDecoder.Each _ -> false;
      case TokenDecoder.Metaspace _, TokenDecoder.Spaced _ -> false;
    };
  }

  private static TokenDecoder replace(JsonField field) {
    SafePattern pattern = NormalizerReader.pattern(field.required("pattern"));
    String content = field.required("content").string();
    return new TokenDecoder.Each(token -> pattern.replaceAll(token, content));
  }

  private static TokenDecoder strip(JsonField field) {
    String content = PreTokenizerReader.oneCharacter(field.required("content"));
    int start = field.required("start").integer();
    int stop = field.required("stop").integer();
    return new TokenDecoder.Each(
        token -> {
          int from = 0;
          for (int i = 0; i < start && token.startsWith(content, from); i++) {
            from += content.length();
          }
          int to = token.length();
          for (int i = 0;
              i < stop && to > from && token.startsWith(content, to - content.length());
              i++) {
            to -= content.length();
          }
          return token.substring(from, to);
        });
  }
}
