package dev.duoka.data.shard;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.BitSet;

/**
 * Some documents in the form in which they are stored: packing is a good part of the work, so the
 * threads that encode do it, and the one that writes only copies.
 */
final class PackedDocuments {
  private final TokenWidth width;
  private final int vocabularySize;
  private final BitSet lossMask = new BitSet();
  private ByteBuffer tokens = buffer(1 << 14);
  private int[] lengths = new int[16];
  private long[] hashes = new long[16];
  private int documents;
  private int tokenCount;

  PackedDocuments(int vocabularySize) {
    this.width = TokenWidth.of(vocabularySize);
    this.vocabularySize = vocabularySize;
  }

  void add(String id, EncodedDocument document) {
    int[] ids = document.tokens();
    check(id, ids);
    reserve(ids.length);
    switch (width) {
      case UINT16 -> {
        for (int token : ids) {
          tokens.putShort((short) token);
        }
      }
      case INT32 -> {
        for (int token : ids) {
          tokens.putInt(token);
        }
      }
    }
    BitSet mask = document.lossMask();
    if (mask == null) {
      lossMask.set(tokenCount, tokenCount + ids.length);
    } else {
      for (int i = mask.nextSetBit(0); i >= 0; i = mask.nextSetBit(i + 1)) {
        lossMask.set(tokenCount + i);
      }
    }
    lengths[documents] = ids.length;
    hashes[documents] = DocumentHash.of(id);
    documents++;
    tokenCount += ids.length;
  }

  int documents() {
    return documents;
  }

  int tokens() {
    return tokenCount;
  }

  int length(int document) {
    return lengths[document];
  }

  long hash(int document) {
    return hashes[document];
  }

  /** Whether a token, counted from the first of all documents, may be a target. */
  boolean learned(int token) {
    return lossMask.get(token);
  }

  /** The tokens of all documents as they are stored. */
  ByteBuffer bytes() {
    return tokens.duplicate().flip();
  }

  private void check(String id, int[] ids) {
    for (int token : ids) {
      if (token < 0 || token >= vocabularySize) {
        throw new DuokaException(
            ErrorCode.DATA,
            "the document %s was encoded to token id %d, outside the vocabulary of %d"
                .formatted(id, token, vocabularySize),
            "Use the tokenizer that belongs to the model.");
      }
    }
  }

  private void reserve(int count) {
    int needed = Math.addExact(tokens.position(), Math.multiplyExact(count, width.bytes()));
    if (needed > tokens.capacity()) {
      long doubled = Math.min(2L * tokens.capacity(), Integer.MAX_VALUE - 8);
      tokens = buffer((int) Math.max(needed, doubled)).put(tokens.flip());
    }
    if (documents == lengths.length) {
      lengths = Arrays.copyOf(lengths, documents * 2);
      hashes = Arrays.copyOf(hashes, documents * 2);
    }
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
