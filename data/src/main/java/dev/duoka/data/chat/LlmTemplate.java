package dev.duoka.data.chat;

import java.util.ArrayList;
import java.util.List;

/**
 * The template of DeepSeek-LLM, DeepSeekMoE and DeepSeek-V2 chat models.
 *
 * <pre>
 * &lt;bos&gt;{system}
 *
 * User: {user}
 *
 * Assistant: {assistant}&lt;eos&gt;User: …
 * </pre>
 *
 * <p>Sources: README, "Chat Completion", of github.com/deepseek-ai/DeepSeek-LLM and of
 * github.com/deepseek-ai/DeepSeek-V2; {@code chat_template} in tokenizer_config.json of
 * deepseek-ai/deepseek-llm-7b-chat and deepseek-ai/DeepSeek-V2-Chat.
 */
record LlmTemplate() implements ChatTemplate {
  @Override
  public String name() {
    return "deepseek-llm";
  }

  @Override
  public List<Piece> render(List<Message> messages) {
    ChatTemplate.refuseTools("deepseek-llm", messages);
    List<Piece> pieces = new ArrayList<>(List.of(Piece.BOS));
    for (Message message : messages) {
      switch (message.role()) {
        case SYSTEM -> pieces.add(Piece.read(message.content() + "\n\n"));
        case USER -> pieces.add(Piece.read("User: " + message.content() + "\n\n"));
        case ASSISTANT -> {
          pieces.addAll(turn());
          // The space belongs to the answer: a prompt ends with the colon.
          pieces.add(Piece.write(" " + message.content()));
          pieces.add(Piece.END);
        }
        case TOOL -> {}
      }
    }
    return pieces;
  }

  @Override
  public List<Piece> turn() {
    return List.of(Piece.read("Assistant:"));
  }
}
