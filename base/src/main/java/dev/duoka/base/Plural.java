package dev.duoka.base;

import java.util.Locale;

/** Prints how many there are of something. */
public final class Plural {
  private Plural() {}

  /** For example {@code 1 rank}, {@code 0 ranks}, {@code 2,048 ranks}. */
  public static String of(long count, String one) {
    return String.format(Locale.ROOT, "%,d %s%s", count, one, count == 1 ? "" : "s");
  }
}
