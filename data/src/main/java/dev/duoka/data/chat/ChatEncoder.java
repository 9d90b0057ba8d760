package dev.duoka.data.chat;

import dev.duoka.data.tokenizer.Tokenizer;
import java.util.List;

/** Encodes chats with a template and a tokenizer. */
public final class ChatEncoder {
  /** Encodes with the markers of {@code template}. */
  public ChatEncoder(ChatTemplate template, Tokenizer tokenizer) {
    throw new UnsupportedOperationException(template + tokenizer.describe());
  }

  /** The ids of a whole chat and the places to learn from. */
  public EncodedChat encode(List<Message> messages) {
    throw new UnsupportedOperationException(messages.toString());
  }

  /** The ids up to where the assistant's next words begin: what generation starts from. */
  public int[] encodePrompt(List<Message> messages) {
    throw new UnsupportedOperationException(messages.toString());
  }
}
