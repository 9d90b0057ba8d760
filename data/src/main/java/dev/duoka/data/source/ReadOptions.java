package dev.duoka.data.source;

/** What the readers of one source share. */
record ReadOptions(SourceSpec spec, SkippedDocuments skipped) {
  PendingDocument pending(String id, long bytes, PendingDocument.Loader loader) {
    return new PendingDocument(id, bytes, loader, spec.badDocuments(), skipped);
  }

  RecordContent content() {
    return spec.content();
  }

  /** Files that only a folder or archive named may turn out to be binary; they are left out. */
  boolean sniffBinary() {
    return spec.format() == DocumentFormat.AUTO;
  }
}
