package dev.duoka.data.tokenizer;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The tokenizer without a vocabulary file: ids 0 to 255 are the bytes of UTF-8.
 *
 * <p>Then come {@code <bos>} (256), {@code <eos>} (257), {@code <pad>} (258) and ids kept for later
 * up to a vocabulary of 320, a multiple of 64 as matrix products like it. Text never encodes to one
 * of these, whatever it says.
 */
public final class ByteTokenizer implements Tokenizer {
  /** The name under which a run file asks for it. */
  public static final String NAME = "bytes";

  private static final int BOS = 256;
  private static final int EOS = 257;
  private static final int PAD = 258;
  private static final int VOCABULARY = 320;
  private static final byte[][] BYTES = new byte[VOCABULARY][];

  static {
    for (int id = 0; id < VOCABULARY; id++) {
      BYTES[id] = id < BOS ? new byte[] {(byte) id} : name(id).getBytes(StandardCharsets.US_ASCII);
    }
  }

  /** The one byte tokenizer there is; all instances are equal in what they do. */
  public ByteTokenizer() {}

  @Override
  public int vocabularySize() {
    return VOCABULARY;
  }

  @Override
  public int[] encode(String text) {
    byte[] bytes = WellFormed.text(text).getBytes(StandardCharsets.UTF_8);
    int[] ids = new int[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      ids[i] = bytes[i] & 0xFF;
    }
    return ids;
  }

  @Override
  public int[] encodeWithSpecialTokens(String text) {
    int[] ids = encode(text);
    int[] all = new int[ids.length + 1];
    all[0] = BOS;
    System.arraycopy(ids, 0, all, 1, ids.length);
    return all;
  }

  @Override
  public String decode(int[] ids) {
    return new ByteStreamDecoder(ByteTokenizer::bytes).decodeAll(ids);
  }

  @Override
  public StreamingDecoder streamingDecoder() {
    return new ByteStreamDecoder(ByteTokenizer::bytes);
  }

  @Override
  public boolean isSpecial(int id) {
    return id >= BOS;
  }

  @Override
  public int idOf(String token) {
    byte[] wanted = token.getBytes(StandardCharsets.UTF_8);
    for (int id = 0; id < VOCABULARY; id++) {
      if (Arrays.equals(BYTES[id], wanted)) {
        return id;
      }
    }
    return NONE;
  }

  @Override
  public int bosId() {
    return BOS;
  }

  @Override
  public int eosId() {
    return EOS;
  }

  @Override
  public int padId() {
    return PAD;
  }

  @Override
  public String fingerprint() {
    return Fingerprint.of("duoka bytes 1, bos 256, eos 257, pad 258, vocabulary 320");
  }

  @Override
  public String describe() {
    return "UTF-8 bytes, " + VOCABULARY + " ids";
  }

  private static byte[] bytes(int id) {
    if (id < 0 || id >= VOCABULARY) {
      throw new DuokaException(
          ErrorCode.DATA,
          "cannot decode token id " + id + ": the byte tokenizer has ids 0 to " + (VOCABULARY - 1),
          "Use the tokenizer with which the ids were made.");
    }
    return BYTES[id];
  }

  private static String name(int id) {
    return switch (id) {
      case BOS -> "<bos>";
      case EOS -> "<eos>";
      case PAD -> "<pad>";
      default -> "<reserved" + id + ">";
    };
  }
}
