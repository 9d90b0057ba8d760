package dev.duoka.base;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Finds the name a user probably meant. */
public final class NearestName {
  /** How many names are listed where there are more. */
  private static final int FEW = 5;

  private NearestName() {}

  /**
   * The candidate with the smallest edit distance to {@code name}, ignoring case, if it is near
   * enough to be a likely slip: at most a third of the name's length, and at least 2 edits.
   */
  public static Optional<String> of(String name, Collection<String> candidates) {
    String wanted = name.toLowerCase(Locale.ROOT);
    int limit = Math.max(2, wanted.length() / 3);
    String best = null;
    int bestDistance = limit + 1;
    for (String candidate : candidates) {
      int distance = distance(wanted, candidate.toLowerCase(Locale.ROOT));
      if (distance < bestDistance) {
        bestDistance = distance;
        best = candidate;
      }
    }
    return Optional.ofNullable(best);
  }

  /** "Did you mean 'x'?" or, when nothing is near, the list of valid names. */
  public static String hint(String name, Collection<String> candidates) {
    return of(name, candidates)
        .map(near -> "Did you mean '" + near + "'?")
        .orElseGet(() -> "Valid names: " + String.join(", ", candidates) + ".");
  }

  /**
   * As {@link #hint}, where there may be hundreds of names: the nearest few, in a sentence that
   * says how many there are, for example {@code The nearest of 212 are 'demo', 'demo-2', 'dome'.}
   * Names that contain what was given are nearer than others; of equally near ones those that come
   * first are taken.
   *
   * @param candidates at least one; what is there twice counts once
   */
  public static String nearest(String name, Collection<String> candidates) {
    String wanted = name.toLowerCase(Locale.ROOT);
    List<String> names = candidates.stream().distinct().toList();
    List<String> near =
        names.stream()
            .sorted(Comparator.comparingInt(it -> farness(wanted, it.toLowerCase(Locale.ROOT))))
            .limit(FEW)
            .map(it -> "'" + it + "'")
            .toList();
    String all = String.join(", ", near);
    return names.size() > FEW
        ? "The nearest of " + names.size() + " are " + all + "."
        : names.size() == 1 ? "The only one is " + all + "." : "There are " + all + ".";
  }

  private static int farness(String wanted, String name) {
    int distance = distance(wanted, name);
    return name.contains(wanted) ? distance - name.length() : distance;
  }

  /** Damerau-Levenshtein distance (optimal string alignment). */
  static int distance(String a, String b) {
    int[] beforeLast = new int[b.length() + 1];
    int[] last = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      last[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] row = new int[b.length() + 1];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int substitute = last[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        int best = Math.min(substitute, Math.min(last[j], row[j - 1]) + 1);
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          best = Math.min(best, beforeLast[j - 2] + 1);
        }
        row[j] = best;
      }
      beforeLast = last;
      last = row;
    }
    return last[b.length()];
  }
}
