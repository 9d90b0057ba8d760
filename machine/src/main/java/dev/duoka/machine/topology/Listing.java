package dev.duoka.machine.topology;

import java.util.Collection;
import java.util.stream.Collectors;

/** Lists for sentences, of bounded length. */
final class Listing {
  private static final int MOST = 12;

  private Listing() {}

  /** {@code a, b, c}, or the first dozen {@code and 31 more}. */
  static String of(Collection<?> items) {
    String shown =
        items.stream().limit(MOST).map(Object::toString).collect(Collectors.joining(", "));
    return items.size() <= MOST ? shown : shown + " and " + (items.size() - MOST) + " more";
  }
}
