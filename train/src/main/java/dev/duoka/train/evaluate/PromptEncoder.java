package dev.duoka.train.evaluate;

import dev.duoka.data.chat.ChatEncoder;
import dev.duoka.data.chat.ChatForm;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.data.chat.Message;
import dev.duoka.data.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Turns questions into tokens as the run's own data: by its chat template, or as plain text. */
final class PromptEncoder {
  private final Tokenizer tokenizer;
  private final @Nullable ChatEncoder chats;

  /**
   * An encoder.
   *
   * @param template of the run's chats; empty for text
   */
  PromptEncoder(Tokenizer tokenizer, Optional<ChatTemplate> template, ChatForm form) {
    this.tokenizer = tokenizer;
    this.chats = template.map(it -> new ChatEncoder(it, tokenizer, form)).orElse(null);
  }

  /** The ids that the answer comes after. */
  int[] prompt(List<Message> asked) {
    ChatEncoder encoder = chats;
    return encoder != null ? encoder.encodePrompt(asked) : withStart(tokenizer.encode(text(asked)));
  }

  /**
   * The ids of an answer. Of plain text question and answer are encoded together, as they would be
   * in a text: the answer is what differs from the question alone.
   */
  int[] answer(List<Message> asked, String answer) {
    if (chats != null) {
      return tokenizer.encode(answer);
    }
    int[] alone = tokenizer.encode(text(asked));
    int[] together = tokenizer.encode(text(asked) + answer);
    int same = Arrays.mismatch(alone, together);
    return Arrays.copyOfRange(together, Math.max(0, same), together.length);
  }

  private static String text(List<Message> asked) {
    return asked.stream().map(Message::content).collect(Collectors.joining("\n"));
  }

  private int[] withStart(int[] ids) {
    int start = tokenizer.bosId();
    return start == Tokenizer.NONE
        ? ids
        : IntStream.concat(IntStream.of(start), Arrays.stream(ids)).toArray();
  }
}
