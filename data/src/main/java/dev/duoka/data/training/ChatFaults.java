package dev.duoka.data.training;

import dev.duoka.data.chat.Role;
import dev.duoka.data.source.BadRecordException;
import dev.duoka.data.source.SkipReason;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What can be wrong with a chat that is well written: who speaks when, and what is said.
 *
 * <p>Silent about: a chat that begins with the assistant, system prompts that are empty or several
 * at the beginning, a tool that returns nothing, and a chat that ends with a question after an
 * answer.
 */
final class ChatFaults {
  /**
   * What published chat templates write around turns. A message that holds one was rendered before,
   * and would be read as several turns, or as the end of one.
   */
  private static final List<String> MARKERS =
      List.of(
          "<|im_start|>",
          "<|im_end|>",
          "<|start_header_id|>",
          "<|eot_id|>",
          "<start_of_turn>",
          "<end_of_turn>",
          "[INST]",
          "[/INST]",
          "<<SYS>>",
          "<|endoftext|>",
          "<\uFF5CUser\uFF5C>",
          "<\uFF5CAssistant\uFF5C>",
          "<\uFF5Cbegin\u2581of\u2581sentence\uFF5C>",
          "<\uFF5Cend\u2581of\u2581sentence\uFF5C>");

  private final List<ChatTurn> turns;
  private final int longest;

  /**
   * A search.
   *
   * @param longest bytes of a turn in UTF-8
   */
  ChatFaults(List<ChatTurn> turns, int longest) {
    this.turns = turns;
    this.longest = longest;
  }

  /**
   * A fault of a chat.
   *
   * @param turn in which it is; the number of turns where it is one of the whole chat
   */
  record Found(int turn, SkipReason reason, String problem, String text) {
    BadRecordException asException() {
      return new BadRecordException(reason, problem, text);
    }
  }

  /** The first fault; empty where there is none, or a turn cannot be read at all before it. */
  Optional<Found> first() {
    if (turns.isEmpty()) {
      return Optional.empty(); // it is no chat, which its reader says
    }
    for (int i = 0; i < turns.size(); i++) {
      if (turns.get(i).role() == null) {
        return Optional.empty();
      }
      Optional<Found> found = of(i);
      if (found.isPresent()) {
        return found;
      }
    }
    boolean answered = turns.stream().anyMatch(turn -> turn.role() == Role.ASSISTANT);
    return answered
        ? Optional.empty()
        : Optional.of(
            new Found(
                turns.size(),
                SkipReason.NO_ANSWER,
                "the chat has no answer of the assistant",
                turns.getLast().text()));
  }

  private Optional<Found> of(int index) {
    ChatTurn turn = turns.get(index);
    ChatTurn before = index == 0 ? null : turns.get(index - 1);
    String order = disorder(turn, before, index);
    if (!order.isEmpty()) {
      return found(index, SkipReason.ROLE_ORDER, order);
    }
    boolean speaks = turn.role() == Role.USER || turn.role() == Role.ASSISTANT;
    if (speaks && turn.text().isBlank() && !turn.calls()) {
      return found(index, SkipReason.EMPTY_TURN, "says nothing");
    }
    if (turn.bytes() > longest) {
      return found(
          index,
          SkipReason.LONG_TURN,
          "has %,d bytes, more than the %,d of data.longest_turn".formatted(turn.bytes(), longest));
    }
    return MARKERS.stream()
        .filter(marker -> turn.text().contains(marker))
        .findFirst()
        .flatMap(marker -> found(index, SkipReason.MARKERS, "holds the marker " + marker));
  }

  private String disorder(ChatTurn turn, @Nullable ChatTurn before, int index) {
    Role role = turn.role();
    Role last = before == null ? null : before.role();
    if (role == null) {
      return "";
    }
    return switch (role) {
      case SYSTEM ->
          turns.subList(0, index).stream().allMatch(each -> each.role() == Role.SYSTEM)
              ? ""
              : "is a system prompt that is not the first";
      case USER -> last == Role.USER ? "is the user's, as the one before" : "";
      case ASSISTANT -> last == Role.ASSISTANT ? "is the assistant's, as the one before" : "";
      case TOOL ->
          before != null && (last == Role.TOOL || (last == Role.ASSISTANT && before.asksTools()))
              ? ""
              : "is a tool's, which nobody called";
    };
  }

  private Optional<Found> found(int index, SkipReason reason, String problem) {
    ChatTurn turn = turns.get(index);
    String text = turn.text();
    if (reason == SkipReason.MARKERS) {
      String marker = problem.substring(problem.lastIndexOf(' ') + 1);
      text = text.substring(Math.max(0, text.indexOf(marker) - 20));
    }
    return Optional.of(new Found(index, reason, turn.place() + " " + problem, text));
  }
}
