package dev.duoka.data.shard;

import dev.duoka.data.source.BadDataReport;
import dev.duoka.data.source.SkipReason;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A tokenised corpus: one long row of tokens, and where in it each document begins.
 *
 * <p>Immutable and safe for use by many threads; all ranks of a process share one, and all
 * processes of a machine share the page cache behind it. There is nothing to close: the mappings go
 * with the object.
 */
public abstract sealed class TokenShards permits MappedShards, JoinedShards {
  /** Reads the index and maps the files, after checking each one's size and checksum. */
  static TokenShards open(Path folder, String key) throws IOException, DamagedShardException {
    return MappedShards.open(folder, key);
  }

  /**
   * Several corpora as one, whose documents are theirs one after another.
   *
   * @param parts of one tokenizer
   */
  public static TokenShards joined(List<TokenShards> parts) {
    return parts.size() == 1 ? parts.getFirst() : new JoinedShards(parts);
  }

  /** The key of the cache folder: equal keys mean equal tokens. */
  public abstract String key();

  /**
   * A name of what the shards hold: the same for the same tokens in the same documents, wherever
   * they came from and however old their files are.
   */
  public abstract String contentName();

  /** Number of tokens in all documents. */
  public abstract long tokens();

  /** Number of documents, each of at least one token. */
  public abstract long documents();

  /** Every token id is below it. */
  public abstract int vocabularySize();

  /** Whether some tokens are no targets. */
  public abstract boolean hasLossMask();

  /** Documents that were left out when the shards were made, by reason. */
  public abstract Map<SkipReason, Long> skipped();

  /** What was found wrong when the shards were made; nothing where that was not kept. */
  public abstract BadDataReport badData();

  /** Position of the first token of a document; of {@link #documents()}, the number of tokens. */
  public abstract long documentStart(long document);

  /** Number of tokens of a document. */
  public final long documentLength(long document) {
    return documentStart(document + 1) - documentStart(document);
  }

  /** A hash of the document's id: stable, whatever stands beside it in the corpus. */
  public abstract long documentHash(long document);

  /** Copies {@code count} tokens that start at position {@code from}. */
  public abstract void copyTokens(long from, int[] into, int at, int count);

  /** Copies for {@code count} tokens whether they may be targets. */
  public abstract void copyLossMask(long from, boolean[] into, int at, int count);
}
