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
  private final long number;

  /**
   * @param name what messages call it: its file, and its place in that
   * @param number its place in the order of its source
   */
  PendingDocument(
      String id,
      String name,
      long bytes,
      Loader loader,
      BadDocuments badDocuments,
      SkippedDocuments skipped,
      long number) {
    this.id = id;
    this.name = name;
    this.bytes = bytes;
    this.loader = loader;
    this.badDocuments = badDocuments;
    this.skipped = skipped;
    this.number = number;
  }

  /** The id that the document will have. */
  public String id() {
    return id;
  }

  /** What messages call it: its file, and its place in that. */
  public String name() {
    return name;
  }

  /** Bytes that it takes in its source; for progress and memory limits. */
  public long bytes() {
    return bytes;
  }

  /** Whether its source ends in an error when a document of it is bad. */
  public boolean refusesBad() {
    return badDocuments == BadDocuments.REFUSE;
  }

  /**
   * Notes that a document which was loaded cannot be trained on.
   *
   * @param why what its reader found wrong with it
   */
  public void leaveOut(DuokaException why) {
    BadRecordException known = why instanceof BadRecordException record ? record : null;
    String problem = why.problem();
    String remedy =
        (why.remedy().isEmpty() ? "Correct it" : why.remedy().replaceFirst("\\.?$", ""))
            + ", "
            + SourceErrors.SKIP_REMEDY
            + ".";
    skipped.bad(
        number,
        new BadDataReport.Place(
            known == null ? SkipReason.UNUSABLE : known.reason(),
            name,
            problem.contains(id) ? problem.replace(id, name) : problem,
            known == null ? "" : known.excerpt(),
            remedy),
        false);
  }

  /** Notes that only the beginning of a document is trained on. */
  public void keepBeginning(BadRecordException why) {
    skipped.bad(
        number,
        new BadDataReport.Place(why.reason(), name, why.problem(), why.excerpt(), ""),
        true);
  }

  /** Notes what is worth knowing of a document and costs nothing of it. */
  public void remark(String remark) {
    skipped.remark(remark);
  }

  /** Notes in which form a record is; those of a file are compared. */
  public void form(String form) {
    int place = id.lastIndexOf('#');
    skipped.form(place < 0 ? id : id.substring(0, place), form);
  }

  /**
   * As {@link #load}, but what is wrong with the document is only noted.
   *
   * @return null if nothing came of it
   */
  public @Nullable Document read() {
    try {
      return new Document(id, loader.load());
    } catch (UnreadableDocumentException e) {
      if (e.reason() == SkipReason.BINARY) {
        skipped.add(e.reason());
      } else {
        DuokaException why = e.refusal();
        skipped.bad(
            number,
            new BadDataReport.Place(e.reason(), name, why.problem(), "", why.remedy()),
            false);
      }
      return null;
    }
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
      skipped.add(e.reason());
      return null;
    }
  }
}
