package dev.duoka.data.overlap;

/**
 * A document of several sources.
 *
 * @param source its index
 * @param document its number there
 */
record DocumentPlace(int source, int document) implements Comparable<DocumentPlace> {
  static DocumentPlace of(long packed) {
    return new DocumentPlace((int) (packed >>> 32), (int) packed);
  }

  /** One number, in the order of sources and documents. */
  long packed() {
    return (long) source << 32 | document;
  }

  @Override
  public int compareTo(DocumentPlace other) {
    return Long.compare(packed(), other.packed());
  }
}
