package dev.duoka.base;

/** Hears how far something is that may take long, on the thread that does it. */
@FunctionalInterface
public interface Progress {
  /** Hears nothing. */
  Progress NONE = (_, _, _) -> {};

  /**
   * So much is done.
   *
   * @param what is being done, for example {@code loading weights}
   * @param done of {@code total}
   * @param total in whatever it is counted; 0 where nobody knows it
   */
  void reached(String what, long done, long total);
}
