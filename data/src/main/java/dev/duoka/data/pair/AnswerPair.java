package dev.duoka.data.pair;

import dev.duoka.data.chat.Message;
import java.util.List;

/**
 * Two chats that differ in their last message alone, an answer of the assistant.
 *
 * @param chosen with the answer that is preferred
 * @param rejected with the other one
 */
public record AnswerPair(List<Message> chosen, List<Message> rejected) {
  public AnswerPair {
    chosen = List.copyOf(chosen);
    rejected = List.copyOf(rejected);
  }
}
