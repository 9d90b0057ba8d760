package dev.duoka.data.source;

import dev.duoka.base.ByteSize;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.NearestName;
import dev.hardwood.InputFile;
import dev.hardwood.reader.ParquetFileReader;
import dev.hardwood.schema.SchemaNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;

/** One open Parquet file, with the decoder's exceptions turned into messages. */
final class ParquetFile implements AutoCloseable {
  private static final int LARGEST_IN_ARCHIVE = 1 << 30;

  /** Held here because the logging system forgets loggers that nobody holds. */
  private static final Logger DECODER_LOG = Logger.getLogger("dev.hardwood");

  static {
    // Its choice of decompressor is no news to a user.
    DECODER_LOG.setLevel(Level.WARNING);
    // The JDK's own inflater does; a native one that may or may not be installed is not worth it.
    if (System.getProperty("hardwood.uselibdeflate") == null) {
      System.setProperty("hardwood.uselibdeflate", "false");
    }
  }

  private final SourceFile file;
  private final ParquetFileReader reader;
  private final Patience patience;

  private ParquetFile(SourceFile file, ParquetFileReader reader, Patience patience) {
    this.file = file;
    this.patience = patience;
    this.reader = reader;
  }

  static ParquetFile open(SourceFile file) {
    return open(file, new Patience());
  }

  static ParquetFile open(SourceFile file, Patience patience) {
    boolean opened = false;
    try {
      InputFile input =
          switch (file) {
            case SourceFile.Local local when Compression.of(local.id()) == Compression.NONE ->
                InputFile.of(local.path());
            case SourceFile.Local local -> inMemory(local);
            case SourceFile.ArchiveEntry entry -> inMemory(entry);
          };
      ParquetFile parquet = new ParquetFile(file, ParquetFileReader.open(input), patience);
      opened = true;
      return parquet;
    } catch (IOException e) {
      throw broken(file, e);
    } catch (DuokaException e) {
      throw e;
    } catch (RuntimeException | StackOverflowError e) {
      // The decoder documents no exception type for a malformed file.
      throw broken(file, e);
    } finally {
      if (!opened) {
        patience.close();
      }
    }
  }

  ParquetFileReader reader() {
    return reader;
  }

  SourceFile file() {
    return file;
  }

  /** Runs a step of the decoder. */
  <T> T read(Supplier<T> step) {
    try {
      return patience.with(step);
    } catch (DuokaException e) {
      throw e;
    } catch (RuntimeException | StackOverflowError e) {
      // The decoder documents no exception type for a malformed file.
      throw broken(file, e);
    }
  }

  /**
   * The rest of the file as one bad record, where it breaks off in the middle.
   *
   * @param row the last that was read
   */
  PendingDocument rest(ReadOptions options, long row, DuokaException why) {
    String place = " row " + (row + 1);
    return options.pending(
        file.id() + "#" + (row + 1),
        file.displayName() + place,
        0,
        () -> {
          throw new UnreadableDocumentException(
              SkipReason.DAMAGED,
              file.displayName() + place + " and all behind it cannot be read: " + why.problem(),
              why.remedy() + " Or set data.on_bad_record to skip to leave these rows out.");
        });
  }

  /** Refuses a column that is not there, naming those that are. */
  SchemaNode column(String name) {
    List<SchemaNode> columns = read(() -> reader.getFileSchema().getRootNode().children());
    for (SchemaNode column : columns) {
      if (column.name().equals(name)) {
        return column;
      }
    }
    List<String> names = columns.stream().map(SchemaNode::name).toList();
    throw new DuokaException(
        ErrorCode.DATA,
        file.displayName() + " has no column '" + name + "'",
        NearestName.hint(name, names) + " Set data.field to the column that holds the text.");
  }

  @Override
  public void close() {
    try (patience) {
      reader.close();
    } catch (IOException e) {
      throw SourceErrors.unreadable(file, e);
    } catch (RuntimeException e) {
      throw broken(file, e);
    }
  }

  private static InputFile inMemory(SourceFile file) throws IOException {
    try (InputStream stream = file.open()) {
      byte[] bytes = stream.readNBytes(LARGEST_IN_ARCHIVE);
      if (bytes.length == LARGEST_IN_ARCHIVE) {
        throw new DuokaException(
            ErrorCode.DATA,
            file.displayName() + " is larger than " + ByteSize.text(LARGEST_IN_ARCHIVE),
            "Unpack it: Parquet is read at random places.");
      }
      return InputFile.of(ByteBuffer.wrap(bytes));
    }
  }

  private static DuokaException broken(SourceFile file, Throwable cause) {
    return new DuokaException(
        ErrorCode.DATA,
        "cannot read " + file.displayName() + " as Parquet: " + SourceErrors.reason(cause),
        "Copy the file again if it is truncated; write it with zstd, snappy, gzip or no compression"
            + " if its codec is named here.",
        cause);
  }
}
