package dev.duoka.data.pair;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.batch.PairBoundary;
import dev.duoka.data.chat.ChatEncoder;
import dev.duoka.data.chat.ChatForm;
import dev.duoka.data.chat.ChatNotices;
import dev.duoka.data.chat.ChatRecord;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.data.chat.EncodedChat;
import dev.duoka.data.chat.LossOn;
import dev.duoka.data.shard.DocumentEncoder;
import dev.duoka.data.shard.EncodedDocument;
import dev.duoka.data.source.BadRecordException;
import dev.duoka.data.source.Document;
import dev.duoka.data.source.SkipReason;
import dev.duoka.data.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/**
 * Encodes a pair as its two chats, one behind the other, each up to the last learned token of its
 * answer. Where the second one begins {@link PairBoundary} finds again.
 */
public final class PairDocumentEncoder implements DocumentEncoder {
  private final ChatEncoder encoder;
  private final Tokenizer tokenizer;
  private final String fingerprint;
  private final ChatNotices notices;

  /**
   * An encoder of pairs in the form of {@code template}.
   *
   * @param systemPrompt what stands in front of chats without a system message
   * @throws DuokaException if the template writes nothing behind an answer by which a model could
   *     learn to stop
   */
  public PairDocumentEncoder(
      ChatTemplate template, Tokenizer tokenizer, Optional<String> systemPrompt) {
    ChatForm form = new ChatForm(LossOn.LAST, systemPrompt);
    this.encoder = new ChatEncoder(template, tokenizer, form);
    encoder.requireEndOfTurn();
    this.tokenizer = tokenizer;
    this.fingerprint =
        "pairs by answer, all with a question " // before, some had lost theirs
            + template.fingerprint()
            + form.fingerprint()
            + " "
            + tokenizer.fingerprint();
    this.notices = new ChatNotices(template.name());
  }

  @Override
  public EncodedDocument encode(Document document) {
    return encode(PairRecords.parse(document.text(), document.id()), document.id());
  }

  /**
   * Encodes a pair that was read.
   *
   * @param where it stands, for errors and notices
   * @throws BadRecordException if both answers are the same tokens
   */
  public EncodedDocument encode(AnswerPair pair, String where) {
    int asked = pair.asked();
    Side chosen = side(pair.chosen(), asked, where + " (chosen)");
    Side rejected = side(pair.rejected(), asked, where + " (rejected)");
    if (Arrays.equals(chosen.ids, rejected.ids)) {
      throw new BadRecordException(
          SkipReason.SAME_ANSWER,
          "both answers of the pair are the same "
              + chosen.ids.length
              + " tokens once the template has rendered them: it leaves out what they differ in",
          pair.chosen().messages().getLast().content());
    }
    int[] ids = Arrays.copyOf(chosen.ids, chosen.ids.length + rejected.ids.length);
    System.arraycopy(rejected.ids, 0, ids, chosen.ids.length, rejected.ids.length);
    BitSet answers = chosen.learned;
    rejected.learned.stream().forEach(i -> answers.set(chosen.ids.length + i));
    if (PairBoundary.of(ids, answers) != chosen.ids.length) {
      throw new DuokaException(
          ErrorCode.DATA,
          "pair " + where + " has answers of several parts, one of which begins as the question",
          "Leave the record out, or change the system prompt so that the question begins"
              + " otherwise.");
    }
    return EncodedDocument.masked(ids, answers);
  }

  /** A chat up to the last learned token of its answer. */
  private static final class Side {
    private final int[] ids;
    private final BitSet learned;

    Side(int[] ids, BitSet learned) {
      this.ids = ids;
      this.learned = learned;
    }
  }

  private Side side(ChatRecord record, int asked, String where) {
    EncodedChat chat = encoder.encodeAnswer(record, asked);
    notices.add(where, chat, false);
    BitSet learned = new BitSet();
    for (int i = 0; i < chat.ids().length; i++) {
      learned.set(i, chat.isTrainable(i));
    }
    if (learned.isEmpty()) {
      throw new BadRecordException(
          SkipReason.NO_ANSWER,
          "the chat template writes nothing of the answer of " + where,
          record.messages().getLast().content());
    }
    return new Side(Arrays.copyOf(chat.ids(), learned.length()), learned);
  }

  @Override
  public List<String> notices() {
    return notices.lines();
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
