package dev.duoka.data.source;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** What the readers of one source share. */
record ReadOptions(SourceSpec spec, SkippedDocuments skipped) {
  PendingDocument pending(String id, String name, long bytes, PendingDocument.Loader loader) {
    return new PendingDocument(
        id, name, bytes, loader, spec.badDocuments(), skipped, skipped.next());
  }

  /** The file's text as UTF-8, with compression taken off. */
  InputStream open(SourceFile file) throws IOException {
    InputStream stream = file.open();
    return spec.encoding().equals(StandardCharsets.UTF_8)
        ? stream
        : new Utf8Stream(stream, spec.encoding());
  }

  RecordContent content() {
    return spec.content();
  }

  /** Files that only a folder or archive named may turn out to be binary; they are left out. */
  boolean sniffBinary() {
    return spec.format() == DocumentFormat.AUTO;
  }
}
