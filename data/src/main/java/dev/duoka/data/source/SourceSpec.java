package dev.duoka.data.source;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/**
 * One entry of a run file's list of sources.
 *
 * <p>Locations: a file ({@code book.txt}), a folder, taken recursively ({@code data/}), a glob
 * ({@code data/**}{@code /*.jsonl.gz}), a zip or jar ({@code x.zip}), entries of one ({@code
 * x.zip!/docs/**}), the running JDK's own source text ({@code jdk:src}) or a part of it ({@code
 * jdk:src/java.base/java/util/**}).
 *
 * @param location where the files are
 * @param format how they hold documents
 * @param content what of a record becomes the text; text files ignore it
 * @param badDocuments what happens with a document that cannot be read
 * @param encoding of text, JSON and JSONL
 */
public record SourceSpec(
    String location,
    DocumentFormat format,
    RecordContent content,
    BadDocuments badDocuments,
    Charset encoding) {
  /** The name of the text field where a run file names none. */
  public static final String DEFAULT_FIELD = "text";

  /** A location with every option at its default. */
  public static SourceSpec of(String location) {
    return new SourceSpec(
        location,
        DocumentFormat.AUTO,
        new RecordContent.Field(DEFAULT_FIELD),
        BadDocuments.REFUSE,
        StandardCharsets.UTF_8);
  }

  /** The same source read in another format. */
  public SourceSpec withFormat(DocumentFormat other) {
    return new SourceSpec(location, other, content, badDocuments, encoding);
  }

  /** The same source with another field, or whole records. */
  public SourceSpec withContent(RecordContent other) {
    return new SourceSpec(location, format, other, badDocuments, encoding);
  }

  /** The same source with another answer to unreadable documents. */
  public SourceSpec withBadDocuments(BadDocuments other) {
    return new SourceSpec(location, format, content, other, encoding);
  }

  /** The same source in another encoding. */
  public SourceSpec withEncoding(Charset other) {
    return new SourceSpec(location, format, content, badDocuments, other);
  }
}
