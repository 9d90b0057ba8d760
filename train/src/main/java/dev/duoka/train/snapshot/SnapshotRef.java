package dev.duoka.train.snapshot;

import java.nio.file.Path;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A start that a user names: {@code RUN} for the last one of a run, {@code RUN:N} for its start
 * {@code N}, {@code RUN:HASH} for the last one with that snapshot.
 *
 * @param run the run's folder
 * @param start which start
 */
public record SnapshotRef(Path run, RunStart start) {
  /**
   * Finds it.
   *
   * @param text what the user wrote
   * @param isRun whether a text names a run as it is; names of folders may have colons
   * @param runs finds the folder of a run, or says that there is none
   * @throws dev.duoka.base.DuokaException {@code USAGE} when there is no such run or start
   */
  public static SnapshotRef of(String text, Predicate<String> isRun, Function<String, Path> runs) {
    int colon = text.lastIndexOf(':');
    boolean whole = colon < 0 || isRun.test(text);
    Path run = runs.apply(whole ? text : text.substring(0, colon));
    String name = whole ? "" : text.substring(colon + 1);
    return new SnapshotRef(run, new SnapshotStore(run).find(name));
  }

  /** Its snapshot, with what became known later. */
  public SnapshotComparison.Side side() {
    return SnapshotComparison.Side.of(new SnapshotStore(run), start);
  }

  /** For people, for example {@code runs/demo:2 (3f9c…, after step 100)}. */
  public String text() {
    return run
        + ":"
        + start.number()
        + " ("
        + RunSnapshot.shortened(start.hash())
        + ", after step "
        + start.afterStep()
        + ")";
  }
}
