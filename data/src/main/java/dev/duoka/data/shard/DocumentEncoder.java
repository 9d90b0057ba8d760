package dev.duoka.data.shard;

import dev.duoka.data.source.Document;
import java.util.List;

/**
 * Turns a document into token ids: the one thing that this package knows of a tokenizer or a chat
 * template. Called by many threads at once.
 */
public interface DocumentEncoder {
  /**
   * All tokens of the document in order, its beginning and end tokens included.
   *
   * @throws dev.duoka.base.DuokaException if the document is not what this encoder reads
   */
  EncodedDocument encode(Document document);

  /**
   * Whether a document could be encoded, said without encoding it; what is cheap to find is enough.
   *
   * @throws dev.duoka.base.DuokaException if it is not what this encoder reads
   */
  default void check(Document document) {}

  /** Changes whenever {@link #encode} would give other tokens; part of the key of the cache. */
  String fingerprint();

  /** Every token id is below this number, which also chooses the width of stored tokens. */
  int vocabularySize();

  /** What a user should hear of all that was encoded so far, one line for each kind of thing. */
  default List<String> notices() {
    return List.of();
  }

  /** Whether {@link #encode} gives a loss mask with every document. */
  boolean hasLossMask();
}
