package dev.duoka.data.source;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Plural;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What was found wrong with the documents of a corpus.
 *
 * @param bad how many documents have each fault, whatever became of them
 * @param cut how many of those keep their good beginning
 * @param remarks what is worth knowing and costs no document, with counts
 * @param places where the first of them are, in the order of the corpus
 */
public record BadDataReport(
    Map<SkipReason, Long> bad,
    Map<SkipReason, Long> cut,
    Map<String, Long> remarks,
    List<Place> places) {
  /** How many places are named. */
  public static final int NAMED = 10;

  /** Nothing was found. */
  public static final BadDataReport NOTHING =
      new BadDataReport(Map.of(), Map.of(), Map.of(), List.of());

  /**
   * Where a fault is.
   *
   * @param name file and place in it, for example {@code chats.jsonl line 7}
   * @param problem what is wrong, in words
   * @param excerpt the beginning of what is wrong, control characters made visible; may be empty
   * @param remedy what to do about it; may be empty
   */
  public record Place(
      SkipReason reason, String name, String problem, String excerpt, String remedy) {
    /** In one line. */
    public String line() {
      return (problem.contains(name) ? problem : name + ": " + problem)
          + (excerpt.isEmpty() ? "" : ", \"" + excerpt + "\"");
    }
  }

  public BadDataReport {
    bad = Collections.unmodifiableMap(new TreeMap<>(bad));
    cut = Collections.unmodifiableMap(new TreeMap<>(cut));
    remarks = Collections.unmodifiableMap(new TreeMap<>(remarks));
    places = List.copyOf(places);
  }

  /** Whether no document has a fault. */
  public boolean isClean() {
    return bad.isEmpty();
  }

  /** How many documents have a fault. */
  public long count() {
    return bad.values().stream().mapToLong(Long::longValue).sum();
  }

  /** The reports of several sources as one, in their order. */
  public static BadDataReport joined(List<BadDataReport> parts) {
    Map<SkipReason, Long> bad = new TreeMap<>();
    Map<SkipReason, Long> cut = new TreeMap<>();
    Map<String, Long> remarks = new TreeMap<>();
    List<Place> places = new ArrayList<>();
    for (BadDataReport part : parts) {
      part.bad.forEach((reason, count) -> bad.merge(reason, count, Long::sum));
      part.cut.forEach((reason, count) -> cut.merge(reason, count, Long::sum));
      part.remarks.forEach((remark, count) -> remarks.merge(remark, count, Long::sum));
      places.addAll(part.places);
    }
    return new BadDataReport(bad, cut, remarks, places.stream().limit(NAMED).toList());
  }

  /** What to tell a user, a line each; none where nothing was found. */
  public List<String> lines() {
    List<String> lines = new ArrayList<>();
    if (!isClean()) {
      lines.add("bad documents: " + SkipReason.describe(bad) + outcome());
      lines.addAll(placeLines());
    }
    remarks.forEach((remark, count) -> lines.add(count + " " + remark));
    return lines;
  }

  private String outcome() {
    return cut.isEmpty()
        ? "; all are left out"
        : "; of these keep their beginning: " + SkipReason.describe(cut) + ", others are left out";
  }

  private List<String> placeLines() {
    List<String> lines = new ArrayList<>();
    places.forEach(place -> lines.add("  " + place.line()));
    if (count() > places.size()) {
      lines.add("  and " + (count() - places.size()) + " more");
    }
    return lines;
  }

  /** The error of a run that refuses such documents. */
  public DuokaException refusal() {
    Place first = places.getFirst();
    boolean alike = bad.size() == 1 && !first.remedy().isEmpty();
    String remedy = alike ? first.remedy() : "Correct them, " + SourceErrors.SKIP_REMEDY + ".";
    if (count() == 1) {
      return new DuokaException(ErrorCode.DATA, first.line(), remedy);
    }
    return new DuokaException(
        ErrorCode.DATA,
        Plural.of(count(), "document")
            + " cannot be trained on ("
            + SkipReason.describe(bad)
            + "):\n"
            + String.join("\n", placeLines()),
        remedy);
  }
}
