package dev.duoka.data.source;

import dev.duoka.base.UserPath;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;

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
 * @param formerName what a file was called when its documents got their ids, which a run that goes
 *     on keeps; empty where it has its name still
 */
public record SourceSpec(
    String location,
    DocumentFormat format,
    RecordContent content,
    BadDocuments badDocuments,
    Charset encoding,
    Optional<String> formerName) {
  /** The name of the text field where a run file names none. */
  public static final String DEFAULT_FIELD = "text";

  /** A location with every option at its default. */
  public static SourceSpec of(String location) {
    return new SourceSpec(
        location,
        DocumentFormat.AUTO,
        new RecordContent.Field(DEFAULT_FIELD),
        BadDocuments.REFUSE,
        StandardCharsets.UTF_8,
        Optional.empty());
  }

  /** The same source read in another format. */
  public SourceSpec withFormat(DocumentFormat other) {
    return new SourceSpec(location, other, content, badDocuments, encoding, formerName);
  }

  /** The same source with another field, or whole records. */
  public SourceSpec withContent(RecordContent other) {
    return new SourceSpec(location, format, other, badDocuments, encoding, formerName);
  }

  /** The same source with another answer to unreadable documents. */
  public SourceSpec withBadDocuments(BadDocuments other) {
    return new SourceSpec(location, format, content, other, encoding, formerName);
  }

  /** The same source in another encoding. */
  public SourceSpec withEncoding(Charset other) {
    return new SourceSpec(location, format, content, badDocuments, other, formerName);
  }

  /** The same source, a file of which the documents are known by another name. */
  public SourceSpec formerly(String name) {
    return new SourceSpec(location, format, content, badDocuments, encoding, Optional.of(name));
  }

  /** By which name a source that is one file gives ids to its documents; empty for any other. */
  public Optional<String> fileName() {
    Path path;
    try {
      path = Path.of(UserPath.expand(location));
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
    return Files.isRegularFile(path)
        ? formerName.or(() -> Optional.of(String.valueOf(path.getFileName())))
        : Optional.empty();
  }
}
