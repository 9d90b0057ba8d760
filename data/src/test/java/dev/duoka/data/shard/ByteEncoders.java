package dev.duoka.data.shard;

import dev.duoka.data.source.Document;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.OptionalInt;
import java.util.function.IntPredicate;

/** Encoders for tests: a token is a byte. */
public final class ByteEncoders {
  /** The id after the 256 bytes. */
  public static final int END = 256;

  private ByteEncoders() {}

  /** Bytes, then {@link #END}. */
  public static DocumentEncoder plain() {
    return new TextDocumentEncoder(ByteEncoders::bytes, "bytes", 257, OptionalInt.empty(), END);
  }

  /** As {@link #plain}, with a vocabulary that needs 32-bit ids and ids that use it. */
  public static DocumentEncoder wide() {
    return new TextDocumentEncoder(
        text -> {
          int[] ids = bytes(text);
          for (int i = 0; i < ids.length; i++) {
            ids[i] += 70_000;
          }
          return ids;
        },
        "wide bytes",
        100_000,
        OptionalInt.of(7),
        END);
  }

  /** As {@link #plain}; only upper-case letters and the end are learned. */
  public static DocumentEncoder masked() {
    return learning("masked", ByteEncoders::learned);
  }

  /** As {@link #plain}; only digits are learned, so that a document may have nothing to learn. */
  public static DocumentEncoder digits() {
    return learning("digits", token -> token >= '0' && token <= '9');
  }

  /** As {@link #digits}, without an end token. */
  public static DocumentEncoder answers() {
    return learning("answers", token -> token >= '0' && token <= '9', false);
  }

  private static DocumentEncoder learning(String name, IntPredicate learned) {
    return learning(name, learned, true);
  }

  private static DocumentEncoder learning(String name, IntPredicate learned, boolean ends) {
    DocumentEncoder plain = plain();
    return new DocumentEncoder() {
      @Override
      public EncodedDocument encode(Document document) {
        int[] whole = plain.encode(document).tokens();
        int[] tokens = Arrays.copyOf(whole, whole.length - (ends ? 0 : 1));
        BitSet mask = new BitSet(tokens.length);
        for (int i = 0; i < tokens.length; i++) {
          mask.set(i, learned.test(tokens[i]));
        }
        return EncodedDocument.masked(tokens, mask);
      }

      @Override
      public String fingerprint() {
        return name + " " + plain.fingerprint();
      }

      @Override
      public int vocabularySize() {
        return plain.vocabularySize();
      }

      @Override
      public boolean hasLossMask() {
        return true;
      }
    };
  }

  /** Whether {@link #masked} learns a token. */
  public static boolean learned(int token) {
    return (token >= 'A' && token <= 'Z') || token == END;
  }

  private static int[] bytes(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int[] ids = new int[bytes.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = bytes[i] & 0xFF;
    }
    return ids;
  }
}
