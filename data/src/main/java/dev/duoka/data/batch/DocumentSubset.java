package dev.duoka.data.batch;

import dev.duoka.data.shard.TokenShards;
import java.util.Arrays;

/**
 * The documents of one part of the split, in corpus order, seen as one stream of tokens.
 *
 * <p>Holds two numbers for every {@value #BLOCK} documents instead of a list of them: a place in
 * the stream is found by binary search and a short scan. Immutable; safe for use by many threads.
 */
public final class DocumentSubset {
  private static final int BLOCK = 64;

  private final TokenShards shards;
  private final DocumentSides sides;
  private final SplitPart part;

  /** Stream position of the first token of each block of documents, then the stream's length. */
  private final long[] blockStarts;

  private final long documents;

  private DocumentSubset(
      TokenShards shards, DocumentSides sides, SplitPart part, long[] blockStarts, long documents) {
    this.shards = shards;
    this.sides = sides;
    this.part = part;
    this.blockStarts = blockStarts;
    this.documents = documents;
  }

  /** The documents that a split by their ids puts into a part. */
  public static DocumentSubset of(TokenShards shards, DocumentSplit split, SplitPart part) {
    return of(shards, document -> split.partOf(shards.documentHash(document)), part);
  }

  /** Goes once over the list of documents, not over their tokens. */
  public static DocumentSubset of(TokenShards shards, DocumentSides sides, SplitPart part) {
    long all = shards.documents();
    long[] blockStarts = new long[Math.toIntExact((all + BLOCK - 1) / BLOCK) + 1];
    long tokens = 0;
    long documents = 0;
    for (long document = 0; document < all; document++) {
      if (document % BLOCK == 0) {
        blockStarts[(int) (document / BLOCK)] = tokens;
      }
      if (sides.of(document) == part) {
        tokens += shards.documentLength(document);
        documents++;
      }
    }
    blockStarts[blockStarts.length - 1] = tokens;
    return new DocumentSubset(shards, sides, part, blockStarts, documents);
  }

  /** The shards that it is a part of. */
  public TokenShards shards() {
    return shards;
  }

  /** Which part. */
  public SplitPart part() {
    return part;
  }

  /** Number of its documents. */
  public long documents() {
    return documents;
  }

  /** Number of their tokens. */
  public long tokens() {
    return blockStarts[blockStarts.length - 1];
  }

  /** Whether a document of the shards belongs to it. */
  boolean contains(long document) {
    return sides.of(document) == part;
  }

  /** The document that holds a stream position, and how far into it that is. */
  Place find(long position) {
    int found = Arrays.binarySearch(blockStarts, position);
    int block = found >= 0 ? lastEqual(found) : -found - 2;
    long left = position - blockStarts[block];
    long document = next((long) block * BLOCK - 1);
    while (left >= shards.documentLength(document)) {
      left -= shards.documentLength(document);
      document = next(document);
    }
    return new Place(document, left);
  }

  /** The next document of this subset after {@code document}; there must be one. */
  long next(long document) {
    long following = document + 1;
    while (!contains(following)) {
      following++;
    }
    return following;
  }

  /** Blocks without a document of this subset start where the next one does. */
  private int lastEqual(int block) {
    int last = block;
    while (last + 2 < blockStarts.length && blockStarts[last + 1] == blockStarts[block]) {
      last++;
    }
    return last;
  }

  /** A place in the stream: token {@code offset} of a document of the shards. */
  record Place(long document, long offset) {}
}
