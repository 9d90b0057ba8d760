package dev.duoka.data.source;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Counts the documents of one source that were left out or cut, by reason, and names the first
 * ones. What comes out does not depend on which thread read what. Safe for many threads.
 */
final class SkippedDocuments {
  private final EnumMap<SkipReason, Long> leftOut = new EnumMap<>(SkipReason.class);
  private final EnumMap<SkipReason, Long> bad = new EnumMap<>(SkipReason.class);
  private final EnumMap<SkipReason, Long> cut = new EnumMap<>(SkipReason.class);
  private final Map<String, Long> remarks = new HashMap<>();

  /** Forms of records by file, each with how many have it. */
  private final Map<String, Map<String, Long>> forms = new TreeMap<>();

  private final TreeMap<Long, BadDataReport.Place> places = new TreeMap<>();
  private long numbers;

  /** The number of the next document, by which the first ones are known. */
  synchronized long next() {
    return numbers++;
  }

  /** Counts one that is left out and is no fault of the data. */
  synchronized void add(SkipReason reason) {
    leftOut.merge(reason, 1L, Long::sum);
  }

  /**
   * Counts a document with a fault.
   *
   * @param number of the document
   * @param keepsBeginning whether it is cut; otherwise it is left out
   */
  synchronized void bad(long number, BadDataReport.Place place, boolean keepsBeginning) {
    (keepsBeginning ? cut : leftOut).merge(place.reason(), 1L, Long::sum);
    bad.merge(place.reason(), 1L, Long::sum);
    places.put(number, place);
    if (places.size() > BadDataReport.NAMED) {
      places.pollLastEntry();
    }
  }

  synchronized void remark(String remark) {
    remarks.merge(remark, 1L, Long::sum);
  }

  synchronized void form(String file, String form) {
    forms.computeIfAbsent(file, _ -> new TreeMap<>()).merge(form, 1L, Long::sum);
  }

  /** How many are left out so far, without reasons that never occurred. */
  synchronized Map<SkipReason, Long> counts() {
    return new EnumMap<>(leftOut);
  }

  /** What was found so far. */
  synchronized BadDataReport report() {
    Map<String, Long> all = new TreeMap<>(remarks);
    forms.forEach(
        (file, counts) -> {
          if (counts.size() > 1) {
            List<String> each = new ArrayList<>();
            counts.forEach((form, count) -> each.add(form + " " + count));
            long records = counts.values().stream().mapToLong(Long::longValue).sum();
            all.put(
                "records of " + file + " are of several forms: " + String.join(", ", each),
                records);
          }
        });
    return new BadDataReport(bad, cut, all, List.copyOf(places.values()));
  }
}
