package dev.duoka.data.chat;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Plural;
import java.util.BitSet;
import java.util.List;

/** Which of a chat's turns are learned; only the assistant's can be. */
public enum LossOn {
  /** Every answer. */
  ASSISTANT,
  /** The last answer. */
  LAST,
  /** Those that the record marks, by {@code train} or {@code weight}. */
  MARKED;

  /**
   * The numbers of the messages that are learned; at least one.
   *
   * @throws DuokaException of {@link ErrorCode#DATA} if there is none
   */
  BitSet turns(List<Message> messages) {
    BitSet answers = new BitSet();
    for (int i = 0; i < messages.size(); i++) {
      answers.set(i, messages.get(i).role() == Role.ASSISTANT);
    }
    if (answers.isEmpty()) {
      throw new DuokaException(
          ErrorCode.DATA,
          "cannot train on a chat of "
              + Plural.of(messages.size(), "message")
              + (messages.size() == 1
                  ? ": it is not the assistant's"
                  : ": none is the assistant's"),
          "Leave the record out, or add the answer to learn.");
    }
    BitSet turns =
        switch (this) {
          case ASSISTANT -> answers;
          case LAST -> {
            BitSet last = new BitSet();
            last.set(answers.length() - 1);
            yield last;
          }
          case MARKED -> marked(messages, answers);
        };
    if (turns.isEmpty()) {
      throw new DuokaException(
          ErrorCode.DATA,
          "cannot train on a chat with data.loss_on marked: it marks no answer to learn",
          "Give an answer \"train\": true or \"weight\": 1, or set data.loss_on to assistant.");
    }
    return turns;
  }

  /** Where some answers are marked as not to learn and none as to learn, the others are learned. */
  private static BitSet marked(List<Message> messages, BitSet answers) {
    boolean some = answers.stream().anyMatch(i -> messages.get(i).marked() != null);
    boolean wanted = answers.stream().anyMatch(i -> Boolean.TRUE.equals(messages.get(i).marked()));
    BitSet turns = new BitSet();
    answers.stream()
        .filter(
            i -> {
              Boolean mark = messages.get(i).marked();
              return mark == null ? some && !wanted : mark;
            })
        .forEach(turns::set);
    return turns;
  }
}
