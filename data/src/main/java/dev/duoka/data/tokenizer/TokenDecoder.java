package dev.duoka.data.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** Turns the texts of tokens into the text that they were made from. */
sealed interface TokenDecoder {
  /** Changes the list step by step; at the end its strings are joined. */
  List<String> apply(List<String> tokens);

  /** One after the other. */
  record Sequence(List<TokenDecoder> steps) implements TokenDecoder {
    @Override
    public List<String> apply(List<String> tokens) {
      List<String> result = tokens;
      for (TokenDecoder step : steps) {
        result = step.apply(result);
      }
      return result;
    }
  }

  /** From the letters of {@link ByteAlphabet} to bytes to text. */
  record ByteLevel() implements TokenDecoder {
    @Override
    public List<String> apply(List<String> tokens) {
      StringBuilder out = new StringBuilder();
      Utf8Decoder decoder = new Utf8Decoder();
      for (String token : tokens) {
        decoder.add(ByteAlphabet.bytes(token), out);
      }
      decoder.finish(out);
      return List.of(out.toString());
    }
  }

  /** All strings as one. */
  record Fuse() implements TokenDecoder {
    @Override
    public List<String> apply(List<String> tokens) {
      return List.of(String.join("", tokens));
    }
  }

  /** All strings with spaces between them: what a file without a decoder means. */
  record Spaced() implements TokenDecoder {
    @Override
    public List<String> apply(List<String> tokens) {
      return List.of(String.join(" ", tokens));
    }
  }

  /**
   * Runs of {@code <0xNN>} tokens to the characters whose UTF-8 bytes they are.
   *
   * <p>Where a run is not UTF-8 throughout, its good parts are kept; the tokenizers library gives
   * U+FFFD for each byte of such a run.
   */
  record ByteFallback() implements TokenDecoder {
    @Override
    public List<String> apply(List<String> tokens) {
      List<String> result = new ArrayList<>(tokens.size());
      StringBuilder run = new StringBuilder();
      Utf8Decoder decoder = new Utf8Decoder();
      for (String token : tokens) {
        int octet = octet(token);
        if (octet >= 0) {
          decoder.add((byte) octet, run);
        } else {
          endRun(decoder, run, result);
          result.add(token);
        }
      }
      endRun(decoder, run, result);
      return result;
    }

    private static void endRun(Utf8Decoder decoder, StringBuilder run, List<String> result) {
      decoder.finish(run);
      if (!run.isEmpty()) {
        result.add(run.toString());
        run.setLength(0);
      }
    }

    private static int octet(String token) {
      if (token.length() != 6 || !token.startsWith("<0x") || token.charAt(5) != '>') {
        return -1;
      }
      int high = Character.digit(token.charAt(3), 16);
      int low = Character.digit(token.charAt(4), 16);
      return high < 0 || low < 0 ? -1 : (high << 4) | low;
    }
  }

  /** A change of each string by itself. */
  record Each(UnaryOperator<String> change) implements TokenDecoder {
    @Override
    public List<String> apply(List<String> tokens) {
      return tokens.stream().map(change).toList();
    }
  }

  /** A {@link PreTokenizer.Metaspace} sign to a space; none at the very beginning. */
  record Metaspace(String replacement, boolean prefixed) implements TokenDecoder {
    @Override
    public List<String> apply(List<String> tokens) {
      List<String> result = new ArrayList<>(tokens.size());
      for (String token : tokens) {
        result.add(token.replace(replacement, result.isEmpty() && prefixed ? "" : " "));
      }
      return result;
    }
  }
}
