package dev.duoka.data.source;

import java.util.Iterator;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Readers one after another, each opened when its turn comes. */
final class ConcatenatedReader<T> implements DocumentReader {
  private final Iterator<T> parts;
  private final Function<T, DocumentReader> opener;
  private @Nullable DocumentReader current;

  ConcatenatedReader(List<T> parts, Function<T, DocumentReader> opener) {
    this.parts = parts.iterator();
    this.opener = opener;
  }

  @Override
  public @Nullable PendingDocument next() {
    while (true) {
      if (current != null) {
        PendingDocument document = current.next();
        if (document != null) {
          return document;
        }
        close();
      }
      if (!parts.hasNext()) {
        return null;
      }
      current = opener.apply(parts.next());
    }
  }

  @Override
  public void close() {
    if (current != null) {
      current.close();
      current = null;
    }
  }
}
