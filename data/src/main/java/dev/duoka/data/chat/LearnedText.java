package dev.duoka.data.chat;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.jinja.Rendering;
import dev.duoka.data.jinja.Rendering.Stretch;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds what is learned in a rendered chat. A turn's stretch begins where the assistant's words
 * begin and ends with the token that ends a turn.
 *
 * <p>Three ways, the first that applies: what the template itself marks by {@code generation}
 * blocks; the difference between the chat up to the turn, with the assistant to speak, and the chat
 * with the turn, where the one begins with the other and the whole chat with both; and, where a
 * template writes a turn differently once others follow, what changes in the whole chat when other
 * words stand in the turn.
 */
final class LearnedText {
  /** Other words than any record has; templates leave such characters alone. */
  private static final String OTHER = "\uF8D0\uF8D1\uF8D2";

  private final ChatRenderer renderer;
  private final ChatRecord record;
  private final String end;
  private final Rendering whole;

  private LearnedText(ChatRenderer renderer, ChatRecord record, String end) {
    this.renderer = renderer;
    this.record = record;
    this.end = end;
    this.whole = renderer.render(record, false);
  }

  /**
   * What was found.
   *
   * @param text the whole chat as rendered
   * @param stretches that are learned, in order
   * @param removed characters of learned turns that the template left out
   */
  record Found(String text, List<Stretch> stretches, int removed) {}

  /**
   * Finds the stretches of some turns.
   *
   * @param turns numbers of messages of the assistant
   * @param end of a turn, as it stands in the rendered text
   */
  static Found in(ChatRenderer renderer, ChatRecord record, BitSet turns, String end) {
    return new LearnedText(renderer, record, end).find(turns);
  }

  private Found find(BitSet turns) {
    List<Stretch> stretches = new ArrayList<>();
    int removed = 0;
    int last = 0;
    for (int turn = turns.nextSetBit(0); turn >= 0; turn = turns.nextSetBit(turn + 1)) {
      List<Stretch> found = whole.generated().isEmpty() ? one(turn, last) : marked(turn);
      StringBuilder words = new StringBuilder();
      for (Stretch stretch : found) {
        words.append(whole.text(), stretch.start(), stretch.end());
        last = stretch.end();
      }
      stretches.addAll(found);
      removed += RemovedText.of(record.messages().get(turn), words.toString());
    }
    return new Found(whole.text(), stretches, removed);
  }

  /** The blocks of a turn, counted in the chats that end before it and with it. */
  private List<Stretch> marked(int turn) {
    Rendering before = rendered(turn, false);
    Rendering with = rendered(turn + 1, false);
    int from = before == null ? 0 : before.generated().size();
    int to = with == null ? -1 : with.generated().size();
    if (to < from || to > whole.generated().size()) {
      throw new DuokaException(
          ErrorCode.DATA,
          "the 'generation' blocks of the chat template cannot be counted by turn: message "
              + (turn + 1)
              + " ends "
              + to
              + " of "
              + whole.generated().size(),
          "Put one block around each turn of the assistant, or none at all.");
    }
    List<Stretch> stretches = new ArrayList<>();
    for (Stretch block : whole.generated().subList(from, to)) {
      boolean ends = whole.text().startsWith(end, block.end());
      boolean has = whole.text().substring(block.start(), block.end()).contains(end);
      stretches.add(ends && !has ? new Stretch(block.start(), block.end() + end.length()) : block);
    }
    return stretches;
  }

  private List<Stretch> one(int turn, int last) {
    Rendering prompt = rendered(turn, true);
    Rendering with = rendered(turn + 1, false);
    if (prompt == null || with == null || !with.text().startsWith(prompt.text())) {
      return changed(turn, last, prompt, "");
    }
    int start = prompt.text().length();
    int close = with.text().lastIndexOf(end);
    int stop = close >= start ? close + end.length() : with.text().length();
    if (!whole.text().startsWith(with.text())) {
      return changed(turn, last, prompt, with.text().substring(start, stop));
    }
    return start == stop ? List.of() : List.of(new Stretch(start, stop));
  }

  /** The first messages as rendered; null where the template refuses so short a chat. */
  private @Nullable Rendering rendered(int messages, boolean prompt) {
    if (messages == record.messages().size() && !prompt) {
      return whole;
    }
    try {
      return renderer.render(record.with(record.messages().subList(0, messages)), prompt);
    } catch (DuokaException e) {
      if (e.code() != ErrorCode.DATA) {
        throw e;
      }
      return null;
    }
  }

  /**
   * What other words in the turn change, and what belongs to it before and behind.
   *
   * @param alone what is learned of the turn in the chat that ends with it; empty if unknown
   */
  private List<Stretch> changed(int turn, int last, @Nullable Rendering prompt, String alone) {
    List<Message> messages = new ArrayList<>(record.messages());
    messages.set(turn, otherWords(messages.get(turn)));
    String text = whole.text();
    String other = renderer.render(record.with(messages), false).text();
    int most = Math.min(text.length(), other.length());
    int start = 0;
    while (start < most && text.charAt(start) == other.charAt(start)) {
      start++;
    }
    if (start == text.length() && start == other.length()) {
      return List.of(); // the template leaves the whole turn out
    }
    int same = 0;
    while (same < most - start
        && text.charAt(text.length() - 1 - same) == other.charAt(other.length() - 1 - same)) {
      same++;
    }
    int stop = text.length() - same;
    int at = alone.isEmpty() ? -1 : text.lastIndexOf(alone, start);
    if (at >= last && at + alone.length() >= stop) {
      return List.of(new Stretch(at, at + alone.length()));
    }
    int begin = begin(turn, last, start, prompt);
    String lead = renderer.lead();
    boolean led = begin == start && text.substring(last, start).endsWith(lead);
    return List.of(new Stretch(led ? start - lead.length() : begin, end(turn, stop)));
  }

  private static Message otherWords(Message message) {
    List<ToolCall> calls = new ArrayList<>(message.toolCalls());
    if (!calls.isEmpty()) {
      ToolCall call = calls.getLast();
      String arguments = "{\"" + OTHER + "\": \"" + OTHER + "\"}";
      calls.set(calls.size() - 1, new ToolCall(call.type(), call.name(), arguments, call.id()));
    }
    boolean silent = message.content().isEmpty() && !calls.isEmpty();
    return new Message(
        message.role(), silent ? "" : OTHER, calls, message.marked(), message.further());
  }

  /**
   * Where the turn begins: behind what asks the assistant to speak, if that stands before the words
   * and nothing of another turn between.
   */
  private int begin(int turn, int last, int words, @Nullable Rendering prompt) {
    Rendering silent = rendered(turn, false);
    if (prompt == null || silent == null || !prompt.text().startsWith(silent.text())) {
      return words;
    }
    String asks = prompt.text().substring(silent.text().length());
    int at = whole.text().lastIndexOf(asks, words - asks.length());
    return asks.isEmpty() || at < Math.max(last, said(turn - 1, last, words))
        ? words
        : at + asks.length();
  }

  /** Where the words of a message end that stand between two places; the first, if nowhere. */
  private int said(int message, int from, int to) {
    String words = message < 0 ? "" : record.messages().get(message).content().strip();
    int at = words.isEmpty() ? -1 : whole.text().lastIndexOf(words, to - words.length());
    return at < from ? from : at + words.length();
  }

  private int end(int turn, int words) {
    int close = whole.text().indexOf(end, words);
    String next =
        turn + 1 < record.messages().size()
            ? record.messages().get(turn + 1).content().strip()
            : "";
    int bound = next.isEmpty() ? -1 : whole.text().indexOf(next, words);
    return close < 0 || (bound >= 0 && bound < close) ? words : close + end.length();
  }
}
