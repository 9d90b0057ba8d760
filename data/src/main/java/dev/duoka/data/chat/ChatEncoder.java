package dev.duoka.data.chat;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Plural;
import dev.duoka.data.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

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
 * <p>Where the tokenizer does not read its markers from text (bytes), each stretch of text between
 * two markers is encoded that way and the markers' ids are put in between.
 *
 * <pre>{@code
 * ChatEncoder encoder = new ChatEncoder(ChatTemplate.named("deepseek-v3"), tokenizer);
 * EncodedChat chat = encoder.encode(ChatRecords.parse(line, "chats.jsonl line 7"));
 * }</pre>
 */
public final class ChatEncoder {
  private final ChatTemplate template;
  private final Tokenizer tokenizer;

  /** Encodes with the markers of {@code template}. */
  public ChatEncoder(ChatTemplate template, Tokenizer tokenizer) {
    this.template = template;
    this.tokenizer = tokenizer;
  }

  /**
   * The ids of a whole chat and the places to learn from.
   *
   * @throws DuokaException if no message is the assistant's, or the tokenizer lacks a marker
   */
  public EncodedChat encode(List<Message> messages) {
    if (messages.stream().noneMatch(message -> message.role() == Role.ASSISTANT)) {
      throw new DuokaException(
          ErrorCode.DATA,
          "cannot train on a chat of "
              + Plural.of(messages.size(), "message")
              + (messages.size() == 1
                  ? ": it is not the assistant's"
                  : ": none is the assistant's"),
          "Leave the record out, or add the answer to learn.");
    }
    return encodePieces(template.render(messages));
  }

  /** The ids up to where the assistant's next words begin: what generation starts from. */
  public int[] encodePrompt(List<Message> messages) {
    return encodePieces(template.prompt(messages)).ids();
  }

  private EncodedChat encodePieces(List<Piece> pieces) {
    Growing chat = new Growing();
    StringBuilder text = new StringBuilder();
    List<Span> spans = new ArrayList<>();
    for (Piece piece : pieces) {
      String written = piece.text();
      if (piece.kind() != Piece.Kind.TEXT) {
        int id = markerId(piece);
        if (id == Tokenizer.NONE) {
          continue;
        }
        written = tokenizer.decode(new int[] {id});
        if (!Arrays.equals(tokenizer.encode(written), new int[] {id})) {
          append(text.toString(), spans, chat);
          text.setLength(0);
          spans.clear();
          chat.add(new int[] {id}, piece.trainable());
          continue;
        }
      }
      if (piece.trainable()) {
        Span before = spans.isEmpty() ? null : spans.getLast();
        boolean touches = before != null && before.end == text.length();
        int start = touches ? spans.removeLast().start : text.length();
        spans.add(new Span(start, text.length() + written.length()));
      }
      text.append(written);
    }
    append(text.toString(), spans, chat);
    return new EncodedChat(chat.ids, chat.trainable);
  }

  private int markerId(Piece piece) {
    int id =
        switch (piece.kind()) {
          case BOS -> tokenizer.bosId();
          case EOS -> tokenizer.eosId();
          case TOKEN, TEXT -> tokenizer.idOf(piece.text());
        };
    if (id == Tokenizer.NONE && piece.kind() != Piece.Kind.BOS) {
      String marker = piece.kind() == Piece.Kind.EOS ? "eos token" : "token " + piece.text();
      throw new DuokaException(
          ErrorCode.CONFIG,
          "cannot encode a chat: the tokenizer (" + tokenizer.describe() + ") has no " + marker,
          "Choose another chat template, or the tokenizer of the model that the template is for.");
    }
    return id;
  }

  private void append(String text, List<Span> spans, Growing chat) {
    int[] whole = tokenizer.encode(text);
    int from = chat.ids.length;
    chat.add(whole, false);
    for (Span span : spans) {
      int start = tokensBefore(text, span.start, whole);
      int end = tokensBefore(text, span.end, whole);
      chat.trainable.set(from + start, from + Math.max(start, end));
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

  /** A stretch of trainable text. */
  private record Span(int start, int end) {}

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
