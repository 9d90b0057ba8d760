package dev.duoka.train.evaluate;

import dev.duoka.data.chat.ChatEncoder;
import dev.duoka.data.chat.ChatForm;
import dev.duoka.data.chat.ChatRecord;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.data.chat.EncodedChat;
import dev.duoka.data.chat.LossOn;
import dev.duoka.data.chat.Message;
import dev.duoka.data.chat.Role;
import dev.duoka.data.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Turns questions into tokens as the run's own data: by its chat template, or as plain text. */
final class PromptEncoder {
  private final Tokenizer tokenizer;
  private final Optional<String> systemPrompt;
  private final @Nullable ChatEncoder chats;

  /**
   * An encoder.
   *
   * @param template of the run's chats; empty for text
   * @param systemPrompt what stands in front of chats without a system message
   */
  PromptEncoder(
      Tokenizer tokenizer, Optional<ChatTemplate> template, Optional<String> systemPrompt) {
    this.tokenizer = tokenizer;
    this.systemPrompt = systemPrompt;
    this.chats =
        template
            .map(it -> new ChatEncoder(it, tokenizer, new ChatForm(LossOn.LAST, systemPrompt)))
            .orElse(null);
  }

  /** The ids that the answer comes after. */
  int[] prompt(List<Message> asked) {
    ChatEncoder encoder = chats;
    if (encoder == null) {
      return withStart(tokenizer.encode(text(asked)));
    }
    ChatRecord record = new ChatRecord(asked);
    return encoder.encodePrompt(systemPrompt.map(record::withSystem).orElse(record).messages());
  }

  /**
   * A question with an answer behind it, as one text of the data.
   *
   * @param from where the answer begins
   */
  record Answered(List<Integer> ids, int from) {
    Answered {
      ids = List.copyOf(ids);
    }
  }

  /**
   * Encodes both together, for tokens may reach over the boundary. The end of an answer's turn is
   * part of it.
   */
  Answered answered(List<Message> asked, String answer) {
    ChatEncoder encoder = chats;
    if (encoder == null) {
      int[] alone = prompt(asked);
      int[] together = withStart(tokenizer.encode(text(asked) + answer));
      int same = Arrays.mismatch(alone, together);
      return answered(together, same < 0 ? together.length : same);
    }
    List<Message> chat = new ArrayList<>(asked);
    chat.add(new Message(Role.ASSISTANT, answer));
    EncodedChat encoded = encoder.encodeAnswer(new ChatRecord(chat), asked.size());
    int end = encoded.ids().length;
    while (end > 0 && !encoded.isTrainable(end - 1)) {
      end--;
    }
    int from = 0;
    while (from < end && !encoded.isTrainable(from)) {
      from++;
    }
    return answered(Arrays.copyOf(encoded.ids(), end), from);
  }

  private static Answered answered(int[] ids, int from) {
    return new Answered(Arrays.stream(ids).boxed().toList(), from);
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
