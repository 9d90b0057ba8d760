package dev.duoka.data.chat;

import java.util.List;

/** How a model family writes a chat as one text. */
public sealed interface ChatTemplate permits PlainTemplate {
  /** The template of that name. */
  static ChatTemplate named(String name) {
    throw new UnsupportedOperationException(name);
  }

  /** The whole chat for training, without the bos token. */
  List<Piece> render(List<Message> messages);

  /** The chat up to where the assistant's next words begin, without the bos token. */
  String prompt(List<Message> messages);
}
