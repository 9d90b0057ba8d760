package dev.duoka.data.source;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** One file of a source. */
sealed interface SourceFile {
  /** Path relative to the source, with {@code /}. */
  String id();

  /** What a message calls it. */
  String displayName();

  /** Stored bytes; for an archive entry, bytes after decompression. */
  long size();

  /** Changes when the content does: the modification time, or an archive's CRC. */
  String version();

  /** Whether the user named it, rather than a folder or archive that holds it. */
  boolean named();

  /** A fresh stream of the stored bytes. */
  InputStream openStored() throws IOException;

  /** A fresh stream, with {@code .gz} and {@code .zst} taken off. */
  default InputStream open() throws IOException {
    return Compression.of(id()).open(openStored());
  }

  /** The lower-case name without {@code .gz} or {@code .zst}. */
  default String plainName() {
    return Compression.of(id()).stripSuffix(id()).toLowerCase(Locale.ROOT);
  }

  /** A file of the file system. */
  record Local(Path path, String id, long size, String version, boolean named)
      implements SourceFile {
    @Override
    public String displayName() {
      return path.toString();
    }

    @Override
    public InputStream openStored() throws IOException {
      return Files.newInputStream(path);
    }
  }

  /** An entry of a zip or jar; the archive stays open as long as its source. */
  record ArchiveEntry(ZipFile archive, ZipEntry entry, boolean named) implements SourceFile {
    @Override
    public String id() {
      return entry.getName();
    }

    @Override
    public String displayName() {
      return archive.getName() + "!/" + entry.getName();
    }

    @Override
    public long size() {
      return Math.max(0, entry.getSize());
    }

    @Override
    public String version() {
      return "crc " + Long.toHexString(entry.getCrc());
    }

    @Override
    public InputStream openStored() throws IOException {
      return archive.getInputStream(entry);
    }
  }
}
