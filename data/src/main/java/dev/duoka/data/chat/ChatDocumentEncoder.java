package dev.duoka.data.chat;

import dev.duoka.data.shard.DocumentEncoder;
import dev.duoka.data.shard.EncodedDocument;
import dev.duoka.data.source.Document;
import dev.duoka.data.tokenizer.Tokenizer;
import java.util.BitSet;
import java.util.List;

/** Encodes a record of chat messages; only what the assistant says is trained on. */
public final class ChatDocumentEncoder implements DocumentEncoder {
  private final ChatEncoder encoder;
  private final Tokenizer tokenizer;
  private final ChatForm form;
  private final String fingerprint;
  private final ChatNotices notices;

  /**
   * An encoder of chats by a template, in a form.
   *
   * @throws dev.duoka.base.DuokaException if template and tokenizer do not fit each other
   */
  public ChatDocumentEncoder(ChatTemplate template, Tokenizer tokenizer, ChatForm form) {
    this.encoder = new ChatEncoder(template, tokenizer, form);
    encoder.requireEndOfTurn();
    this.tokenizer = tokenizer;
    this.form = form;
    this.fingerprint =
        "chat " + template.fingerprint() + form.fingerprint() + " " + tokenizer.fingerprint();
    this.notices = new ChatNotices(template.name());
  }

  @Override
  public EncodedDocument encode(Document document) {
    ChatRecord record = ChatRecords.parse(document.text(), document.id());
    EncodedChat chat = encoder.encode(record);
    notices.add(document.id(), chat, unreadMarks(record));
    int[] ids = chat.ids();
    BitSet trainable = new BitSet(ids.length);
    for (int i = 0; i < ids.length; i++) {
      trainable.set(i, chat.isTrainable(i));
    }
    return EncodedDocument.masked(ids, trainable);
  }

  private boolean unreadMarks(ChatRecord record) {
    return form.lossOn() != LossOn.MARKED
        && record.messages().stream()
            .anyMatch(message -> message.role() == Role.ASSISTANT && message.marked() != null);
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
