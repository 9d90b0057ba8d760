package dev.duoka.data.source;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;

/**
 * The documents of one {@link SourceSpec}, always in the same order: files by name, records as they
 * stand in their file.
 *
 * <p>Safe for use by many threads; a {@link DocumentReader} is for one. Closing a source ends its
 * readers and pending documents.
 */
public final class DataSource implements AutoCloseable {
  private final SourceSpec spec;
  private final List<SourceFile> files;
  private final @Nullable ZipFile archive;
  private final SkippedDocuments skipped = new SkippedDocuments();

  private DataSource(SourceSpec spec, SourceLocation location) {
    this.spec = spec;
    this.files = List.copyOf(location.files());
    this.archive = location.archive();
    for (int i = 0; i < location.leftOut(); i++) {
      skipped.add(SkipReason.NOT_FOR_TRAINING);
    }
    for (int i = 0; i < location.outside(); i++) {
      skipped.add(SkipReason.OUTSIDE);
    }
  }

  /**
   * Finds the files of a source; reads none of them.
   *
   * @throws dev.duoka.base.DuokaException if there are none, or the location makes no sense
   */
  public static DataSource open(SourceSpec spec) {
    return new DataSource(spec, SourceLocation.resolve(spec));
  }

  /** What it was opened from. */
  public SourceSpec spec() {
    return spec;
  }

  /** Number of files. */
  public int files() {
    return files.size();
  }

  /** Whether any of its files is made of records, of which a field is the text. */
  public boolean hasRecords() {
    return files.stream().map(this::format).anyMatch(DataSource::isMadeOfRecords);
  }

  private static boolean isMadeOfRecords(DocumentFormat format) {
    return switch (format) {
      case JSONL, JSON, PARQUET -> true;
      case AUTO, TEXT -> false;
    };
  }

  /** Bytes of all files as stored; inside an archive, as unpacked. */
  public long bytes() {
    return files.stream().mapToLong(SourceFile::size).sum();
  }

  /**
   * Changes whenever the documents may have: one line per file with its name, size and modification
   * time (in an archive its CRC), after the options that shape documents. Where the source lies is
   * not part of it.
   */
  public String fingerprint() {
    StringBuilder text = new StringBuilder();
    text.append(spec.format()).append(' ').append(spec.content()).append(' ');
    text.append(spec.badDocuments());
    if (!spec.encoding().equals(StandardCharsets.UTF_8)) {
      text.append(' ').append(spec.encoding());
    }
    text.append('\n');
    for (SourceFile file : files) {
      text.append(file.id()).append('\t').append(file.size()).append('\t');
      text.append(file.version()).append('\t').append(file.named()).append('\n');
    }
    return text.toString();
  }

  /** Starts at the first document. */
  public DocumentReader reader() {
    return new ConcatenatedReader<>(files, this::read);
  }

  /** How many documents readers of this source have left out so far. */
  public Map<SkipReason, Long> skipped() {
    return skipped.counts();
  }

  /** What readers of this source have found wrong so far. */
  BadDataReport badData() {
    return skipped.report();
  }

  private DocumentReader read(SourceFile file) {
    ReadOptions options = new ReadOptions(spec, skipped);
    try {
      return switch (format(file)) {
        case AUTO, TEXT -> new TextFileReader(file, options);
        case JSONL -> new JsonLinesReader(file, options);
        case JSON -> new JsonReader(file, options);
        case PARQUET -> parquet(file, options);
      };
    } catch (IOException e) {
      throw SourceErrors.unreadable(file, e);
    }
  }

  private static DocumentReader parquet(SourceFile file, ReadOptions options) {
    ParquetFile parquet = ParquetFile.open(file);
    return parquet(parquet, options);
  }

  static DocumentReader parquet(ParquetFile parquet, ReadOptions options) {
    try {
      return switch (options.content()) {
        case RecordContent.Field field -> new ParquetColumnReader(parquet, options, field.name());
        case RecordContent.WholeRecord _ -> new ParquetRecordReader(parquet, options);
      };
    } catch (RuntimeException e) {
      parquet.close();
      throw e;
    }
  }

  private DocumentFormat format(SourceFile file) {
    if (spec.format() != DocumentFormat.AUTO) {
      return spec.format();
    }
    String name = file.plainName();
    if (name.endsWith(".jsonl") || name.endsWith(".ndjson")) {
      return DocumentFormat.JSONL;
    }
    if (name.endsWith(".json")) {
      return DocumentFormat.JSON;
    }
    return name.endsWith(".parquet") ? DocumentFormat.PARQUET : DocumentFormat.TEXT;
  }

  @Override
  public void close() {
    if (archive != null) {
      try {
        archive.close();
      } catch (IOException e) {
        throw SourceErrors.unreadable(files.getFirst(), e);
      }
    }
  }
}
