package dev.duoka.data.pair;

import dev.duoka.data.chat.ChatEncoder;
import dev.duoka.data.chat.ChatForm;
import dev.duoka.data.chat.ChatRecord;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.data.chat.EncodedChat;
import dev.duoka.data.chat.LossOn;
import dev.duoka.data.shard.DocumentEncoder;
import dev.duoka.data.shard.EncodedDocument;
import dev.duoka.data.source.Document;
import dev.duoka.data.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Optional;

/**
 * Encodes a pair as its two chats, one behind the other. Each ends with its answer, the one stretch
 * with loss: so the first chat is as long as the document up to the end of its first such stretch.
 */
public final class PairDocumentEncoder implements DocumentEncoder {
  private final ChatEncoder encoder;
  private final Tokenizer tokenizer;
  private final String fingerprint;

  /**
   * An encoder of pairs in the form of {@code template}.
   *
   * @param systemPrompt what stands in front of chats without a system message
   */
  public PairDocumentEncoder(
      ChatTemplate template, Tokenizer tokenizer, Optional<String> systemPrompt) {
    ChatForm form = new ChatForm(LossOn.LAST, systemPrompt);
    this.encoder = new ChatEncoder(template, tokenizer, form);
    this.tokenizer = tokenizer;
    this.fingerprint =
        "pairs " + template.fingerprint() + form.fingerprint() + " " + tokenizer.fingerprint();
  }

  @Override
  public EncodedDocument encode(Document document) {
    AnswerPair pair = PairRecords.parse(document.text(), document.id());
    Side chosen = side(pair.chosen());
    Side rejected = side(pair.rejected());
    int[] ids = Arrays.copyOf(chosen.ids, chosen.ids.length + rejected.ids.length);
    System.arraycopy(rejected.ids, 0, ids, chosen.ids.length, rejected.ids.length);
    BitSet answers = new BitSet(ids.length);
    answers.set(chosen.answer, chosen.ids.length);
    answers.set(chosen.ids.length + rejected.answer, ids.length);
    return EncodedDocument.masked(ids, answers);
  }

  /** A chat up to its last answer's end. */
  private static final class Side {
    private final int[] ids;

    /** Where that answer begins. */
    private final int answer;

    Side(int[] ids, int answer) {
      this.ids = ids;
      this.answer = answer;
    }
  }

  private Side side(ChatRecord record) {
    EncodedChat chat = encoder.encode(record);
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
    return fingerprint;
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
