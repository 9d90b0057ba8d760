package dev.duoka.data.chat;

import dev.duoka.base.Plural;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;

/** What is worth telling of chats that were encoded; for several threads. */
public final class ChatNotices {
  private static final int PLACES = 10;

  private final String template;
  private final TreeSet<String> places =
      new TreeSet<>(Comparator.comparingInt(String::length).thenComparing(String::compareTo));
  private long chats;
  private long characters;
  private long unreadMarks;

  /** Of chats by the template of that name. */
  public ChatNotices(String template) {
    this.template = template;
  }

  /**
   * One more chat.
   *
   * @param where it stands
   * @param unreadMarks whether it marks turns and nobody reads the marks
   */
  public synchronized void add(String where, EncodedChat chat, boolean unreadMarks) {
    this.unreadMarks += unreadMarks ? 1 : 0;
    if (chat.removedCharacters() > 0) {
      chats++;
      characters += chat.removedCharacters();
      places.add(where);
      if (places.size() > PLACES) {
        places.pollLast();
      }
    }
  }

  /** One line for each kind of thing; empty where there is nothing to tell. */
  public synchronized List<String> lines() {
    List<String> lines = new ArrayList<>();
    if (chats > 0) {
      lines.add(
          "the chat template %s leaves out %s of the assistant's turns that are to be learned, in %s: nothing is learned of it; first in %s"
              .formatted(
                  template,
                  Plural.of(characters, "character"),
                  Plural.of(chats, "chat"),
                  String.join(", ", places)));
    }
    if (unreadMarks > 0) {
      lines.add(
          "%s turns by 'train', 'loss' or 'weight', which only data.loss_on marked reads"
              .formatted(unreadMarks == 1 ? "1 chat marks" : unreadMarks + " chats mark"));
    }
    return lines;
  }
}
