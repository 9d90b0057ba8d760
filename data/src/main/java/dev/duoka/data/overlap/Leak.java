package dev.duoka.data.overlap;

/**
 * A held-out document that is trained on.
 *
 * @param kind how alike they are
 * @param heldOut the document, by its packed place
 * @param trained the first one that is like it, likewise
 * @param part of its passages that are trained on, 0 to 1
 */
record Leak(Kind kind, long heldOut, long trained, double part) {
  enum Kind {
    /** Token for token. */
    SAME,
    /** But for case and white space. */
    NEARLY_SAME,
    /** In most of its passages. */
    PASSAGES
  }
}
