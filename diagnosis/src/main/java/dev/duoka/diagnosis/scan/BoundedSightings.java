package dev.duoka.diagnosis.scan;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Keeps the first and the last sightings of each rule, so that memory is bounded. */
final class BoundedSightings {
  static final int FIRST = 600;
  static final int LAST = 40;

  private static final Comparator<Sighting> ORDER =
      Comparator.comparingInt(Sighting::log).thenComparingLong(Sighting::number);

  private final Map<String, List<Sighting>> first = new HashMap<>();
  private final Map<String, ArrayDeque<Sighting>> last = new HashMap<>();

  void add(Sighting sighting) {
    List<Sighting> kept = first.computeIfAbsent(sighting.rule().id(), r -> new ArrayList<>());
    if (kept.size() < FIRST) {
      kept.add(sighting);
      return;
    }
    ArrayDeque<Sighting> recent =
        last.computeIfAbsent(sighting.rule().id(), r -> new ArrayDeque<>());
    recent.add(sighting);
    if (recent.size() > LAST) {
      recent.remove();
    }
  }

  List<Sighting> all() {
    List<Sighting> all = new ArrayList<>();
    first.values().forEach(all::addAll);
    last.values().forEach(all::addAll);
    // Two patterns of one rule may know one line: the more telling stays.
    all.sort(ORDER.thenComparing(s -> s.rule().id()).thenComparingInt(Sighting::pattern));
    List<Sighting> distinct = new ArrayList<>();
    for (Sighting s : all) {
      Sighting previous = distinct.isEmpty() ? null : distinct.getLast();
      if (previous == null
          || !previous.rule().id().equals(s.rule().id())
          || ORDER.compare(previous, s) != 0) {
        distinct.add(s);
      }
    }
    return List.copyOf(distinct);
  }
}
