package dev.duoka.data.chat;

import dev.duoka.data.shard.DocumentEncoder;
import dev.duoka.data.shard.EncodedDocument;
import dev.duoka.data.source.Document;
import dev.duoka.data.tokenizer.Tokenizer;
import java.util.BitSet;

/** Encodes a record of chat messages; only what the assistant says is trained on. */
public final class ChatDocumentEncoder implements DocumentEncoder {
  private final ChatEncoder encoder;
  private final Tokenizer tokenizer;
  private final String templateName;

  /** An encoder of chats in the form of {@code template}. */
  public ChatDocumentEncoder(ChatTemplate template, Tokenizer tokenizer) {
    this.encoder = new ChatEncoder(template, tokenizer);
    this.tokenizer = tokenizer;
    this.templateName = template.getClass().getSimpleName();
  }

  @Override
  public EncodedDocument encode(Document document) {
    EncodedChat chat = encoder.encode(ChatRecords.parse(document.text(), document.id()));
    int[] ids = chat.ids();
    BitSet trainable = new BitSet(ids.length);
    for (int i = 0; i < ids.length; i++) {
      trainable.set(i, chat.isTrainable(i));
    }
    return EncodedDocument.masked(ids, trainable);
  }

  @Override
  public String fingerprint() {
    return "chat " + templateName + " " + tokenizer.fingerprint();
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
