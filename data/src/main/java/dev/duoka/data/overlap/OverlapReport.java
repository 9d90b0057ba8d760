package dev.duoka.data.overlap;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What documents have in common.
 *
 * @param copies of each source that has any
 * @param copyPlaces where the first of those are, in words
 * @param heldOut documents that are held out
 * @param judged how many of those have passages enough to be judged by them
 * @param same held-out documents that are trained on token for token
 * @param nearlySame those that are trained on but for case and white space
 * @param passages those that are trained on in most of their passages
 * @param leakPlaces where the first of those are, in words
 */
public record OverlapReport(
    List<SourceCopies> copies,
    List<String> copyPlaces,
    long heldOut,
    long judged,
    long same,
    long nearlySame,
    long passages,
    List<String> leakPlaces) {
  /** How many places are named. */
  static final int NAMED = 10;

  /**
   * Copies in one source.
   *
   * @param name of the source
   * @param count of its documents that are copies of earlier ones
   * @param ofOthers how many of those are copies of documents of other sources
   */
  public record SourceCopies(String name, long count, long ofOthers) {}

  public OverlapReport {
    copies = List.copyOf(copies);
    copyPlaces = List.copyOf(copyPlaces);
    leakPlaces = List.copyOf(leakPlaces);
  }

  /** Documents that are copies of earlier ones. */
  public long allCopies() {
    return copies.stream().mapToLong(SourceCopies::count).sum();
  }

  /** Held-out documents that are trained on, in any way. */
  public long leaks() {
    return same + nearlySame + passages;
  }

  /**
   * What to tell a user, a line each; none where nothing was found.
   *
   * @param duplicates what became of copies
   * @param copiesApart whether each document is held out by its id alone
   */
  public List<String> lines(Duplicates duplicates, boolean copiesApart) {
    List<String> lines = new ArrayList<>();
    if (allCopies() > 0) {
      lines.add(
          copyCounts()
              + switch (duplicates) {
                case KEEP ->
                    copiesApart
                        ? "; they are kept"
                        : "; they are kept, each on the side of the split where the first one is"
                            + " (data.duplicates: drop leaves them out)";
                case DROP -> "; they are left out";
                case REFUSE -> "";
              });
      copyPlaces.forEach(place -> lines.add("  " + place));
    }
    if (leaks() > 0) {
      lines.add(
          String.format(
              Locale.ROOT,
              "%,d of %,d held-out documents are trained on: %,d token for token, %,d but for case"
                  + " and white space, %,d in %d %% or more of their passages of %d words (%,d"
                  + " could be judged by those); the validation loss is too good by them",
              leaks(),
              heldOut,
              same,
              nearlySame,
              passages,
              Math.round(100 * LeakSearch.PART),
              TextMarks.WORDS,
              judged));
      leakPlaces.forEach(place -> lines.add("  " + place));
    }
    return lines;
  }

  /** For example {@code 12 documents are copies of earlier ones: code 10, math 2 (1 of others)}. */
  String copyCounts() {
    List<String> each = new ArrayList<>();
    for (SourceCopies source : copies) {
      each.add(
          String.format(Locale.ROOT, "%s %,d", source.name(), source.count())
              + (source.ofOthers() == 0
                  ? ""
                  : String.format(Locale.ROOT, " (%,d of other sources)", source.ofOthers())));
    }
    return String.format(
        Locale.ROOT,
        "%,d documents are the same as earlier ones: %s",
        allCopies(),
        String.join(", ", each));
  }
}
