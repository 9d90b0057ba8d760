package dev.duoka.data.chat;

import dev.duoka.base.DuokaException;
import dev.duoka.data.jinja.Rendering.Stretch;
import dev.duoka.data.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.OptionalInt;

/**
 * Encodes chats with a template and a tokenizer; safe for use by several threads.
 *
 * <p><b>How boundaries are tokenised.</b> A chat is rendered to one string, markers included, and
 * that string is encoded as a whole, so the ids are the same as everywhere else where a rendered
 * chat is encoded. Which tokens to learn is found by encoding the string up to each boundary: the
 * assistant's tokens begin with the first one that differs from, or lies behind, the tokens of what
 * comes before. A token that spans the boundary, which byte-level tokenizers make only where words
 * merge with the marker in front, therefore counts as the assistant's. A marker that a user writes
 * in a message is a marker.
 *
 * <p>Where the tokenizer does not read its bos and eos from text (bytes), each stretch of text
 * between two of them is encoded that way and their ids are put in between.
 *
 * <pre>{@code
 * ChatEncoder encoder = new ChatEncoder(ChatTemplate.named("deepseek-v3"), tokenizer);
 * EncodedChat chat = encoder.encode(ChatRecords.parse(line, "chats.jsonl line 7"));
 * }</pre>
 */
public final class ChatEncoder {
  private final ChatRenderer renderer;
  private final Tokenizer tokenizer;
  private final ChatForm form;

  /** Encodes in the usual form. */
  public ChatEncoder(ChatTemplate template, Tokenizer tokenizer) {
    this(template, tokenizer, ChatForm.USUAL);
  }

  /**
   * Encodes with the markers of {@code template}.
   *
   * @throws DuokaException if the tokenizer lacks a token that the template needs
   */
  public ChatEncoder(ChatTemplate template, Tokenizer tokenizer, ChatForm form) {
    this.renderer = new ChatRenderer(template, tokenizer);
    this.tokenizer = tokenizer;
    this.form = form;
  }

  /**
   * The ids of a whole chat and the places to learn from.
   *
   * @throws DuokaException if there is nothing to learn, the template refuses the chat, or it
   *     writes no token behind an answer by which a model could learn to stop
   */
  public EncodedChat encode(ChatRecord chat) {
    ChatRecord record = withSystem(chat);
    return encode(record, form.lossOn().turns(record.messages()));
  }

  /**
   * As the other method, of a chat that is learned from one of its messages on: all that the
   * assistant says there, whatever the form says of turns.
   *
   * @param first the number of that message
   */
  public EncodedChat encodeAnswer(ChatRecord chat, int first) {
    ChatRecord record = withSystem(chat);
    int before = record.messages().size() - chat.messages().size();
    BitSet turns = LossOn.ASSISTANT.turns(record.messages());
    turns.clear(0, before + first);
    return encode(record, turns);
  }

  private ChatRecord withSystem(ChatRecord chat) {
    return form.systemPrompt().map(chat::withSystem).orElse(chat);
  }

  private EncodedChat encode(ChatRecord record, BitSet turns) {
    renderer.markers().refuseIn(record.messages());
    String end = renderer.requireEndOfTurn().text();
    LearnedText.Found found = LearnedText.in(renderer, record, turns, end);
    return encode(found.text(), found.stretches(), found.removed());
  }

  /** The ids up to where the assistant's next words begin: what generation starts from. */
  public int[] encodePrompt(List<Message> messages) {
    renderer.markers().refuseIn(messages);
    String text = renderer.render(new ChatRecord(messages), true).text();
    return encode(text, List.of(), 0).ids();
  }

  /** The token that ends a turn of the assistant; empty where the template writes none. */
  public OptionalInt endOfTurn() {
    return renderer.endOfTurn().map(end -> OptionalInt.of(end.id())).orElse(OptionalInt.empty());
  }

  /**
   * Refuses a template by which a model would never learn to stop.
   *
   * @throws DuokaException if it writes no special token behind an answer
   */
  public void requireEndOfTurn() {
    renderer.requireEndOfTurn();
  }

  private EncodedChat encode(String text, List<Stretch> learned, int removed) {
    Growing chat = new Growing();
    int from = 0;
    for (int i = 0; i < text.length(); i++) {
      int id = renderer.markers().idFor(text.charAt(i));
      if (id != Tokenizer.NONE) {
        append(text, from, i, learned, chat);
        int place = i;
        boolean inside = learned.stream().anyMatch(s -> s.start() <= place && place < s.end());
        chat.add(new int[] {id}, inside);
        from = i + 1;
      }
    }
    append(text, from, text.length(), learned, chat);
    return new EncodedChat(chat.ids, chat.trainable, removed);
  }

  /** Adds the ids of a part of the text that has no marker in it. */
  private void append(String text, int start, int end, List<Stretch> learned, Growing chat) {
    String part = text.substring(start, end);
    int[] whole = tokenizer.encode(part);
    int from = chat.ids.length;
    chat.add(whole, false);
    for (Stretch stretch : learned) {
      int first = Math.max(0, stretch.start() - start);
      int last = Math.min(part.length(), stretch.end() - start);
      if (first < last) {
        int firstToken = tokensBefore(part, first, whole);
        int lastToken = tokensBefore(part, last, whole);
        chat.trainable.set(from + firstToken, from + Math.max(firstToken, lastToken));
      }
    }
  }

  /** How many tokens of the whole lie before an index of the text. */
  private int tokensBefore(String text, int index, int[] whole) {
    if (index == text.length()) {
      return whole.length;
    }
    int[] before = tokenizer.encode(text.substring(0, index));
    int mismatch = Arrays.mismatch(before, whole);
    return mismatch < 0 ? whole.length : mismatch;
  }

  private static final class Growing {
    private int[] ids = new int[0];
    private final BitSet trainable = new BitSet();

    void add(int[] more, boolean learn) {
      int from = ids.length;
      ids = Arrays.copyOf(ids, from + more.length);
      System.arraycopy(more, 0, ids, from, more.length);
      if (learn) {
        trainable.set(from, ids.length);
      }
    }
  }
}
