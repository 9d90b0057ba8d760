package dev.duoka.base;

import java.util.Locale;

/** Prints how many there are of something. */
public final class Plural {
  private Plural() {}

  /** For example {@code 1 rank}, {@code 0 ranks}, {@code 2,048 ranks}. */
  public static String of(long count, String one) {
    return of(count, one, one + "s");
  }

  /** As the other method, of a word that takes more than an s, for example {@code 2 processes}. */
  public static String of(long count, String one, String several) {
    return String.format(Locale.ROOT, "%,d %s", count, count == 1 ? one : several);
  }
}
