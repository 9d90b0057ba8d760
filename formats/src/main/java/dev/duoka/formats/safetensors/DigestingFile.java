package dev.duoka.formats.safetensors;

import dev.duoka.base.CrashSafeFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A file written from front to back under a temporary name, with its SHA-256 taken on the way.
 *
 * <p>It appears under its own name, synced, when {@link #finish} returns; closed before that, it
 * vanishes.
 */
final class DigestingFile implements AutoCloseable {
  private final Path path;
  private final Path temporary;
  private final FileChannel channel;
  private final MessageDigest digest;
  private long written;
  private boolean settled;

  DigestingFile(Path path) {
    this.path = path;
    this.temporary = path.resolveSibling(path.getFileName() + ".tmp");
    try {
      this.digest = MessageDigest.getInstance("SHA-256");
      this.channel =
          FileChannel.open(
              temporary,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    } catch (IOException e) {
      throw FileErrors.writing(path, e);
    }
  }

  void write(ByteBuffer bytes) {
    digest.update(bytes.duplicate());
    written += bytes.remaining();
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      throw FileErrors.writing(path, e);
    }
  }

  WrittenFile finish() {
    try {
      channel.force(true);
      channel.close();
      CrashSafeFiles.moveIntoPlace(temporary, path);
      settled = true;
    } catch (IOException e) {
      throw FileErrors.writing(path, e);
    }
    return new WrittenFile(path, written, HexFormat.of().formatHex(digest.digest()));
  }

  /** Deletes what is written unless it is finished. */
  @Override
  public void close() {
    if (!settled) {
      settled = true;
      try {
        channel.close();
        Files.deleteIfExists(temporary);
      } catch (IOException e) {
        throw FileErrors.writing(temporary, e);
      }
    }
  }
}
