package dev.duoka.train.preference;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.Sha256;
import dev.duoka.data.batch.PairSequences;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * What a reference has made of pairs so far, beside the tokens in the cache: a start that was
 * stopped meanwhile is gone on with by the next one, and runs that begin alike share it. One file
 * for each reference and each choice of pairs.
 *
 * <p>That a file cannot be read or written is told once and costs the time of computing it again.
 */
public final class ReferenceCache {
  private static final String FOLDER = "references";
  private static final String KEY = "key";
  private static final int NAME_BYTES = 16;

  private final Path file;
  private final String key;
  private final Consumer<String> notice;
  private boolean failed;

  /**
   * The cache of one reference on some pairs. Reads all that the sets hold of their pairs' places.
   *
   * @param cache the folder of the tokenised corpora
   * @param reference everything that decides what the reference makes of a sequence
   * @param notice hears of a file that cannot be read or written
   */
  public static ReferenceCache of(
      Path cache, Map<String, PairSequences> sets, String reference, Consumer<String> notice) {
    Map<String, String> pairs = new TreeMap<>();
    sets.forEach((name, set) -> pairs.put(name, set.contentName()));
    byte[] hash = Sha256.of((reference + "\n" + pairs).getBytes(StandardCharsets.UTF_8));
    return new ReferenceCache(
        cache
            .resolve(FOLDER)
            .resolve(HexFormat.of().formatHex(hash, 0, NAME_BYTES) + ".safetensors"),
        HexFormat.of().formatHex(hash),
        notice);
  }

  private ReferenceCache(Path file, String key, Consumer<String> notice) {
    this.file = file;
    this.key = key;
    this.notice = notice;
  }

  /** What is known of the first sequences of each set, by the set's name; empty for nothing. */
  Map<String, double[]> known() {
    if (!Files.exists(file)) {
      return Map.of();
    }
    try {
      StoredReferences stored = StoredReferences.read(file);
      return key.equals(stored.known().get(KEY)) ? stored.values() : Map.of();
    } catch (DuokaException e) {
      notice.accept("what the reference made of pairs is computed again: " + e.problem());
      return Map.of();
    }
  }

  /** Keeps what is known of the first sequences of each set; one of which nothing is may lack. */
  void keep(Map<String, double[]> values) {
    if (failed) {
      return;
    }
    Map<String, double[]> some = new LinkedHashMap<>(values);
    some.values().removeIf(known -> known.length == 0);
    try {
      Files.createDirectories(file.getParent());
      new StoredReferences(some, Map.of(KEY, key)).write(file);
    } catch (IOException e) {
      fail(
          new DuokaException(
              ErrorCode.IO, "cannot make " + file.getParent() + ": " + IoReason.of(e), "", e));
    } catch (DuokaException e) {
      fail(e);
    }
  }

  private void fail(DuokaException e) {
    failed = true;
    notice.accept(
        "a start that is stopped now computes the references from their beginning: " + e.problem());
  }
}
