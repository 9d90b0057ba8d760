package dev.duoka.train.preference;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.batch.PairSequences;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Where a run keeps what the reference made of its answers: without it a run whose weights have
 * changed could not go on. It names the content of each set of pairs, so that what stands in one
 * place is never taken for what stood there when it was written.
 */
public final class ReferenceFile {
  /** Its name in the run's folder. */
  public static final String NAME = "references.safetensors";

  /** How the content of each set is named among the file's strings, before the set's name. */
  private static final String PAIRS = "pairs.";

  /** What older versions knew the file by, in place of the content of its sets. */
  private static final String OLDER = "data";

  private ReferenceFile() {}

  /** Whether the folder has one. */
  public static boolean isIn(Path runDir) {
    return Files.exists(runDir.resolve(NAME));
  }

  /** Writes what the sets were told. */
  public static void write(Path runDir, Map<String, PairSequences> sets) {
    Map<String, double[]> values = new LinkedHashMap<>();
    Map<String, String> known = new LinkedHashMap<>();
    sets.forEach(
        (name, set) -> {
          values.put(name, set.references());
          known.put(PAIRS + name, set.contentName());
        });
    new StoredReferences(values, known).write(runDir.resolve(NAME));
  }

  /**
   * Tells the sets what the file holds.
   *
   * @param older by what an older version would know the file, had it written it of these sets
   * @throws DuokaException {@code CHECKPOINT} when the file is not there or is of other pairs
   */
  public static void read(Path runDir, Map<String, PairSequences> sets, String older) {
    Path path = runDir.resolve(NAME);
    if (!Files.exists(path)) {
      throw new DuokaException(
          ErrorCode.CHECKPOINT,
          "cannot go on: "
              + path
              + " is missing, and the weights that it was computed from have changed since",
          "Put it back, or begin a new run from the last checkpoint's export.");
    }
    StoredReferences stored = StoredReferences.read(path);
    boolean isOlder = older.equals(stored.known().get(OLDER));
    sets.forEach(
        (name, set) -> {
          double[] values = stored.values().get(name);
          boolean same =
              values != null
                  && values.length == set.count()
                  && (isOlder || set.contentName().equals(stored.known().get(PAIRS + name)));
          if (!same) {
            throw new DuokaException(
                ErrorCode.CHECKPOINT,
                "cannot go on: %s was computed from other pairs than those of '%s' now (%s)"
                    .formatted(
                        path,
                        name,
                        values == null || values.length == set.count()
                            ? "another split, other sources, another template or length"
                            : values.length / 2 + " pairs then, " + set.count() / 2 + " now"),
                "Go on with the data section that the run began with: its sources, their"
                    + " validation fractions, data.seed, template and length.");
          }
        });
    sets.forEach((name, set) -> set.refer(Objects.requireNonNull(stored.values().get(name))));
  }
}
