package dev.duoka.cli.bundle;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * Writes a tar archive with fixed times and owners, so that equal contents give equal archives.
 *
 * <p>Closing it closes the stream.
 */
final class TarWriter implements AutoCloseable {
  private static final FileTime TIME = FileTime.from(Instant.parse("2000-01-01T00:00:00Z"));

  private final TarArchiveOutputStream tar;

  TarWriter(OutputStream out) {
    tar = new TarArchiveOutputStream(out, "UTF-8");
    tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
  }

  /** Adds an empty folder. */
  void folder(String path) throws IOException {
    put(path + "/", 0755, new byte[0]);
  }

  /** Adds a file. */
  void file(String path, byte[] content, boolean executable) throws IOException {
    put(path, executable ? 0755 : 0644, content);
  }

  @Override
  public void close() throws IOException {
    tar.close();
  }

  private void put(String path, int mode, byte[] content) throws IOException {
    TarArchiveEntry entry = new TarArchiveEntry(path);
    entry.setMode(mode);
    entry.setSize(content.length);
    entry.setLastModifiedTime(TIME);
    entry.setIds(0, 0);
    entry.setNames("", "");
    tar.putArchiveEntry(entry);
    tar.write(content);
    tar.closeArchiveEntry();
  }
}
