package dev.duoka.data.batch;

import org.jspecify.annotations.Nullable;

/** On which side of the split each document of a corpus is. Safe for use by many threads. */
@FunctionalInterface
public interface DocumentSides {
  /** The part that a document is of, by its number; null where it is left out of both. */
  @Nullable SplitPart of(long document);
}
