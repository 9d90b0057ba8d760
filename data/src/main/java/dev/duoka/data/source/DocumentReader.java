package dev.duoka.data.source;

import org.jspecify.annotations.Nullable;

/** Walks the documents of a source in their order. For one thread; close it after use. */
public interface DocumentReader extends AutoCloseable {
  /**
   * The next document, or null after the last.
   *
   * @throws dev.duoka.base.DuokaException if the source cannot be read further
   */
  @Nullable PendingDocument next();

  @Override
  void close();
}
