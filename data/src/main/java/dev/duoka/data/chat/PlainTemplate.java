package dev.duoka.data.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * One line per message, {@code role: content}, for tokenizers without markers such as bytes.
 *
 * <pre>
 * user: What is 1 + 1?
 * assistant: 2&lt;eos&gt;
 * </pre>
 *
 * <p>A call of a tool is a line of its name and arguments behind the assistant's words.
 */
record PlainTemplate() implements ChatTemplate {
  @Override
  public String name() {
    return "plain";
  }

  @Override
  public List<Piece> render(List<Message> messages) {
    List<Piece> pieces = new ArrayList<>(List.of(Piece.BOS));
    for (Message message : messages) {
      String name = message.role().name().toLowerCase(Locale.ROOT);
      pieces.add(Piece.read(name + ":"));
      switch (message.role()) {
        case SYSTEM, USER, TOOL -> pieces.add(Piece.read(" " + message.content()));
        case ASSISTANT -> {
          StringBuilder words = new StringBuilder(" " + message.content());
          for (ToolCall call : message.toolCalls()) {
            words.append('\n').append(call.name()).append(' ').append(call.arguments());
          }
          pieces.add(Piece.write(words.toString()));
          pieces.add(Piece.END);
        }
      }
      pieces.add(Piece.read("\n"));
    }
    return pieces;
  }

  @Override
  public List<Piece> turn() {
    return List.of(Piece.read("assistant:"));
  }
}
