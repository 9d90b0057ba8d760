package dev.duoka.data.chat;

import dev.duoka.base.Sha256;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Optional;

/**
 * How chats are trained on, whatever their template.
 *
 * @param lossOn which turns are learned
 * @param systemPrompt what stands in front of chats without a system message
 */
public record ChatForm(LossOn lossOn, Optional<String> systemPrompt) {
  /** Every answer is learned, and chats are as they are. */
  public static final ChatForm USUAL = new ChatForm(LossOn.ASSISTANT, Optional.empty());

  /** What the tokens depend on; empty for the usual form. */
  public String fingerprint() {
    StringBuilder text = new StringBuilder();
    if (lossOn != LossOn.ASSISTANT) {
      text.append(" loss ").append(lossOn);
    }
    systemPrompt.ifPresent(
        prompt ->
            text.append(" system ")
                .append(
                    HexFormat.of().formatHex(Sha256.of(prompt.getBytes(StandardCharsets.UTF_8)))));
    return text.toString();
  }
}
