package dev.duoka.data.shard;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.source.BadDataReport;
import dev.duoka.data.source.Corpus;
import dev.duoka.data.source.SkipReason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A folder of tokenised corpora, each under a key made of its sources and its encoder, so that the
 * same data is tokenised once and changed data never meets old tokens.
 *
 * <p>A corpus is built in a temporary folder, synced, and renamed: a process that is killed leaves
 * nothing that looks complete. A lock file keeps two processes from doing the same work, and the
 * rename keeps the cache whole even where locks do not work. Safe for use by many threads.
 */
public final class TokenCache {
  private static final int KEY_DIGITS = 32;

  private final Path folder;
  private final long segmentBytes;
  private final int threads;

  /** A cache in a folder, which is created when needed; all cores tokenise. */
  public TokenCache(Path folder) {
    this(folder, ShardFiles.DEFAULT_SEGMENT_BYTES, Runtime.getRuntime().availableProcessors());
  }

  TokenCache(Path folder, long segmentBytes, int threads) {
    this.folder = folder;
    this.segmentBytes = segmentBytes;
    this.threads = threads;
  }

  /**
   * The tokens of a corpus: from the cache if they are there and intact, else tokenised now. Shards
   * that are damaged are named in a notice and made again.
   *
   * @throws DuokaException if a document cannot be read or encoded, no document has any token, or
   *     the folder cannot be written
   */
  public TokenShards open(Corpus corpus, DocumentEncoder encoder, TokenisationListener listener) {
    String key = key(corpus, encoder);
    Path target = folder.resolve(key);
    try {
      TokenShards ready = openIntact(target, key, _ -> {});
      if (ready != null) {
        return ready;
      }
      Files.createDirectories(folder);
      try (CacheLock _ =
          CacheLock.take(
              folder.resolve(key + ".lock"),
              () -> listener.notice("another process tokenises the same data; waiting for it"))) {
        ready = openIntact(target, key, listener::notice);
        if (ready != null) {
          return ready;
        }
        if (Files.exists(target)) {
          remove(target, key);
        }
        build(corpus, encoder, listener, key);
        return TokenShards.open(target, key);
      }
    } catch (DamagedShardException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "the token shards just written to "
              + folder.resolve(key)
              + " cannot be read back: "
              + e.getMessage(),
          "Check the disk, or choose another cache folder.",
          e);
    } catch (IOException e) {
      throw StorageErrors.of("cannot use the token cache", folder, e);
    }
  }

  /** Null where there is nothing, or something damaged that {@code notice} is told of. */
  private static @Nullable TokenShards openIntact(Path target, String key, Consumer<String> notice)
      throws IOException {
    if (!Files.exists(target)) {
      return null;
    }
    try {
      return TokenShards.open(target, key);
    } catch (DamagedShardException e) {
      notice.accept(
          "the token shards in "
              + target
              + " are damaged ("
              + e.getMessage()
              + "); tokenising again");
      return null;
    }
  }

  private void build(
      Corpus corpus, DocumentEncoder encoder, TokenisationListener listener, String key)
      throws IOException {
    removeLeftOvers(key);
    Path temporary = Files.createDirectory(folder.resolve(buildPrefix(key) + UUID.randomUUID()));
    try {
      ShardFiles files =
          new ShardFiles(
              TokenWidth.of(encoder.vocabularySize()), encoder.hasLossMask(), segmentBytes);
      try (ShardWriter writer = new ShardWriter(temporary, files, encoder.vocabularySize())) {
        Map<SkipReason, Long> skipped =
            new Tokenisation(corpus, encoder, writer, listener, threads).run();
        encoder.notices().forEach(listener::notice);
        if (writer.tokens() == 0) {
          throw empty(corpus, skipped);
        }
        BadDataReport bad = corpus.badData();
        if (!bad.isClean() || !bad.remarks().isEmpty()) {
          CrashSafeFiles.write(temporary.resolve(BadDataJson.FILE_NAME), BadDataJson.write(bad));
        }
        if (!skipped.isEmpty()) {
          listener.notice("documents left out: " + SkipReason.describe(skipped));
        }
        writer.finish(key, skipped);
      }
      CrashSafeFiles.syncFolder(temporary);
      publish(temporary, folder.resolve(key));
    } finally {
      CrashSafeFiles.deleteTree(temporary);
    }
  }

  /** Under the lock nobody else builds this key: what is left was left by a killed process. */
  private void removeLeftOvers(String key) throws IOException {
    List<Path> leftOvers;
    try (Stream<Path> entries = Files.list(folder)) {
      leftOvers =
          entries.filter(p -> p.getFileName().toString().startsWith(buildPrefix(key))).toList();
    }
    for (Path leftOver : leftOvers) {
      CrashSafeFiles.deleteTree(leftOver);
    }
  }

  private static void publish(Path temporary, Path target) throws IOException {
    try {
      CrashSafeFiles.moveIntoPlace(temporary, target);
    } catch (IOException e) {
      // Where file locks do not work another process may have been first: equal keys, equal tokens.
      if (!Files.isRegularFile(target.resolve(ShardIndex.FILE_NAME))) {
        throw e;
      }
    }
  }

  /** Renames first, so that a kill in the middle leaves no folder with some of its files. */
  private void remove(Path target, String key) throws IOException {
    Path away = folder.resolve(buildPrefix(key) + UUID.randomUUID());
    CrashSafeFiles.moveIntoPlace(target, away);
    CrashSafeFiles.deleteTree(away);
  }

  private static String buildPrefix(String key) {
    return ".building-" + key + "-";
  }

  private static DuokaException empty(Corpus corpus, Map<SkipReason, Long> skipped) {
    return new DuokaException(
        ErrorCode.DATA,
        "the data set is empty: no document of "
            + corpus.describe()
            + " has any text"
            + (skipped.isEmpty() ? "" : " (left out: " + SkipReason.describe(skipped) + ")"),
        "Check data.sources, data.format and data.field.");
  }

  static String key(Corpus corpus, DocumentEncoder encoder) {
    String shaping =
        "shards "
            + ShardIndexJson.VERSION
            + "\nvocabulary "
            + encoder.vocabularySize()
            + " mask "
            + encoder.hasLossMask()
            + "\n"
            + encoder.fingerprint()
            + "\n"
            + corpus.fingerprint();
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(shaping.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash).substring(0, KEY_DIGITS);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
