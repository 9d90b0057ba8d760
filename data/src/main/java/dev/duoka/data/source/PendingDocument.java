package dev.duoka.data.source;

import dev.duoka.base.DuokaException;
import org.jspecify.annotations.Nullable;

/**
 * A document in its place of the order, not read or decoded yet, so that the costly part can be
 * done on another thread.
 */
public final class PendingDocument {
  /** Reads and decodes. */
  @FunctionalInterface
  interface Loader {
    /** The text. */
    String load() throws UnreadableDocumentException;
  }

  private final String id;
  private final String name;
  private final long bytes;
  private final Loader loader;
  private final BadDocuments badDocuments;
  private final SkippedDocuments skipped;

  /**
   * @param name what messages call it: its file, and its place in that
   */
  PendingDocument(
      String id,
      String name,
      long bytes,
      Loader loader,
      BadDocuments badDocuments,
      SkippedDocuments skipped) {
    this.id = id;
    this.name = name;
    this.bytes = bytes;
    this.loader = loader;
    this.badDocuments = badDocuments;
    this.skipped = skipped;
  }

  /** The id that the document will have. */
  public String id() {
    return id;
  }

  /** Bytes that it takes in its source; for progress and memory limits. */
  public long bytes() {
    return bytes;
  }

  /**
   * Leaves a document out that was loaded and cannot be trained on.
   *
   * @param why what its reader found wrong with it
   * @throws DuokaException naming the document, where its source refuses such ones
   */
  public void leaveOut(DuokaException why) {
    if (badDocuments == BadDocuments.REFUSE) {
      String problem = why.problem();
      throw new DuokaException(
          why.code(),
          problem.contains(id) ? problem.replace(id, name) : name + ": " + problem,
          (why.remedy().isEmpty() ? "Correct it" : why.remedy().replaceFirst("\\.?$", ""))
              + ", "
              + SourceErrors.SKIP_REMEDY
              + ".",
          why);
    }
    skipped.add(SkipReason.UNUSABLE, name);
  }

  /**
   * Reads and decodes the document. Any thread may call it while the source is open.
   *
   * @return null if it was left out, which its source has counted
   * @throws DuokaException if it cannot be read and the source refuses such documents
   */
  public @Nullable Document load() {
    try {
      return new Document(id, loader.load());
    } catch (UnreadableDocumentException e) {
      if (badDocuments == BadDocuments.REFUSE && e.reason() != SkipReason.BINARY) {
        throw e.refusal();
      }
      skipped.add(e.reason(), name);
      return null;
    }
  }
}
