package dev.duoka.data.pair;

import dev.duoka.data.chat.ChatEncoder;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.data.chat.EncodedChat;
import dev.duoka.data.chat.Message;
import dev.duoka.data.shard.DocumentEncoder;
import dev.duoka.data.shard.EncodedDocument;
import dev.duoka.data.source.Document;
import dev.duoka.data.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * Encodes a pair as its two chats, one behind the other. Each ends with its answer, the one stretch
 * with loss: so the first chat is as long as the document up to the end of its first such stretch.
 */
public final class PairDocumentEncoder implements DocumentEncoder {
  private final ChatEncoder encoder;
  private final Tokenizer tokenizer;
  private final String templateName;

  /** An encoder of pairs in the form of {@code template}. */
  public PairDocumentEncoder(ChatTemplate template, Tokenizer tokenizer) {
    this.encoder = new ChatEncoder(template, tokenizer);
    this.tokenizer = tokenizer;
    this.templateName = template.getClass().getSimpleName();
  }

  @Override
  public EncodedDocument encode(Document document) {
    AnswerPair pair = PairRecords.parse(document.text(), document.id());
    Side chosen = side(pair.chosen());
    Side rejected = side(pair.rejected());
    int[] ids = Arrays.copyOf(chosen.ids(), chosen.ids().length + rejected.ids().length);
    System.arraycopy(rejected.ids(), 0, ids, chosen.ids().length, rejected.ids().length);
    BitSet answers = new BitSet(ids.length);
    answers.set(chosen.answer(), chosen.ids().length);
    answers.set(chosen.ids().length + rejected.answer(), ids.length);
    return EncodedDocument.masked(ids, answers);
  }

  /**
   * A chat up to its last answer's end.
   *
   * @param answer where that begins
   */
  private record Side(int[] ids, int answer) {}

  private Side side(List<Message> messages) {
    EncodedChat chat = encoder.encode(messages);
    int end = chat.ids().length;
    while (!chat.isTrainable(end - 1)) {
      end--;
    }
    int start = end;
    while (start > 0 && chat.isTrainable(start - 1)) {
      start--;
    }
    return new Side(Arrays.copyOf(chat.ids(), end), start);
  }

  @Override
  public String fingerprint() {
    return "pairs " + templateName + " " + tokenizer.fingerprint();
  }

  @Override
  public int vocabularySize() {
    return tokenizer.vocabularySize();
  }

  @Override
  public boolean hasLossMask() {
    return true;
  }
}
