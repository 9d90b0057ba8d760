package dev.duoka.data.pair;

import dev.duoka.data.chat.ChatRecord;
import dev.duoka.data.chat.Message;
import java.util.List;

/**
 * Two chats with one question, of which the answers differ: the last message alone, or several with
 * calls of tools and what the tools return between them.
 *
 * @param chosen with the answer that is preferred
 * @param rejected with the other one
 */
public record AnswerPair(ChatRecord chosen, ChatRecord rejected) {
  /** How many messages at their beginning both chats have in common: the question. */
  public int asked() {
    List<Message> one = chosen.messages();
    List<Message> other = rejected.messages();
    int same = 0;
    while (same < Math.min(one.size(), other.size()) && one.get(same).equals(other.get(same))) {
      same++;
    }
    return same;
  }
}
