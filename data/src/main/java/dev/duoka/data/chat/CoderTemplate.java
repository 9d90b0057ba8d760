package dev.duoka.data.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The template of DeepSeek-Coder instruct models.
 *
 * <pre>
 * &lt;bos&gt;{system}### Instruction:
 * {user}
 * ### Response:
 * {assistant}
 * &lt;|EOT|&gt;
 * </pre>
 *
 * <p>Without a system message the model's own stands there. A system message is followed by
 * nothing, so it should end with a line feed itself. Sources: README, "Chat Model Inference", and
 * finetune/finetune_deepseekcoder.py of github.com/deepseek-ai/DeepSeek-Coder; {@code
 * chat_template} in tokenizer_config.json of deepseek-ai/deepseek-coder-6.7b-instruct.
 */
record CoderTemplate() implements ChatTemplate {
  private static final String SYSTEM =
      "You are an AI programming assistant, utilizing the Deepseek Coder model, developed by"
          + " Deepseek Company, and you only answer questions related to computer science. For"
          + " politically sensitive questions, security and privacy issues, and other non-computer"
          + " science questions, you will refuse to answer\n";

  private static final String END_OF_TURN = "<|EOT|>";

  @Override
  public String name() {
    return "deepseek-coder";
  }

  @Override
  public Optional<String> endOfTurn() {
    return Optional.of(END_OF_TURN);
  }

  @Override
  public List<Piece> render(List<Message> messages) {
    ChatTemplate.refuseTools("deepseek-coder", messages);
    List<Piece> pieces = new ArrayList<>(List.of(Piece.BOS));
    if (messages.stream().noneMatch(message -> message.role() == Role.SYSTEM)) {
      pieces.add(Piece.read(SYSTEM));
    }
    for (Message message : messages) {
      switch (message.role()) {
        case SYSTEM -> pieces.add(Piece.read(message.content()));
        case USER -> pieces.add(Piece.read("### Instruction:\n" + message.content() + "\n"));
        case ASSISTANT -> {
          pieces.addAll(turn());
          pieces.add(Piece.write(message.content() + "\n"));
          pieces.add(Piece.token(END_OF_TURN, true));
          pieces.add(Piece.read("\n"));
        }
        case TOOL -> {}
      }
    }
    return pieces;
  }

  @Override
  public List<Piece> turn() {
    return List.of(Piece.read("### Response:\n"));
  }
}
