package dev.duoka.data.chat;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How a tokenizer's tokens for the beginning and the end stand in a rendered chat: by their names
 * where the tokenizer reads those from text, else by a character that is no text, in whose place
 * the id comes.
 */
final class ChatMarkers {
  /** Characters that Unicode keeps free for such use. */
  private static final char BOS = '\uFDD0';

  private static final char EOS = '\uFDD1';

  private final Tokenizer tokenizer;
  private final Map<String, String> texts = new LinkedHashMap<>();
  private boolean separate;

  /** Those of a tokenizer. */
  ChatMarkers(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
    texts.put("bos_token", text(tokenizer.bosId(), BOS));
    texts.put("eos_token", text(tokenizer.eosId(), EOS));
    if (tokenizer.padId() != Tokenizer.NONE) {
      texts.put("pad_token", tokenizer.decode(new int[] {tokenizer.padId()}));
    }
  }

  private String text(int id, char mark) {
    if (id == Tokenizer.NONE) {
      return "";
    }
    String written = tokenizer.decode(new int[] {id});
    if (Arrays.equals(tokenizer.encode(written), new int[] {id})) {
      return written;
    }
    separate = true;
    return String.valueOf(mark);
  }

  /** What stands for each in a text, by the name of its variable. */
  Map<String, String> texts() {
    return texts;
  }

  /** The id that comes in the place of a character; {@link Tokenizer#NONE} for ordinary ones. */
  int idFor(char c) {
    return !separate
        ? Tokenizer.NONE
        : switch (c) {
          case BOS -> tokenizer.bosId();
          case EOS -> tokenizer.eosId();
          default -> Tokenizer.NONE;
        };
  }

  /** Refuses messages that have such a character themselves. */
  void refuseIn(List<Message> messages) {
    for (Message message : messages) {
      if (message.content().chars().anyMatch(c -> idFor((char) c) != Tokenizer.NONE)) {
        throw new DuokaException(
            ErrorCode.DATA,
            "a chat has the character U+FDD0 or U+FDD1, which is no text",
            "Take it out of the record.");
      }
    }
  }
}
