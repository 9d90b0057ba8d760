package dev.duoka.train.checkpoint;

import dev.duoka.base.CacheFolder;
import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DamagedCache;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * SHA-256 hashes of large files, kept between starts: reading the 135 GB of a base takes minutes.
 * What is kept counts as long as the file has the same path, size, time of change and, where the
 * file system says so, number and time of its last change of any kind; a change of its bytes that
 * leaves all of these alone, a disk's error for instance, is not seen. Threads and processes may
 * use it at once.
 */
final class FileHashes {
  /** A file that changed later than so long before it was read may change again unnoticed. */
  private static final Duration RESTED = Duration.ofSeconds(2);

  private static final boolean KEEPS =
      Boolean.parseBoolean(System.getProperty("duoka.keepHashes", "true"));

  private static final int CHUNK_BYTES = 1 << 20;
  private static final String HEADER = "# the hash of a file's bytes; delete to hash it again";

  private final @Nullable Path folder;

  /**
   * Hashes kept in a folder.
   *
   * @param folder may not exist yet; null to keep none
   */
  FileHashes(@Nullable Path folder) {
    this.folder = folder;
  }

  /** Those of this user. */
  static FileHashes ofUser() {
    return new FileHashes(KEEPS ? CacheFolder.of("hashes") : null);
  }

  /** The hash of a file's bytes; reads them if it must. */
  byte[] of(Path file) {
    try {
      Path real = file.toRealPath();
      if (folder == null) {
        return hash(real);
      }
      Path kept = folder.resolve(hex(real.toString()));
      String now = identity(real);
      Optional<byte[]> known = read(kept, now);
      if (known.isPresent()) {
        return known.get();
      }
      Instant start = Instant.now();
      byte[] hash = hash(real);
      if (identity(real).equals(now) && rests(real, start)) {
        keep(folder, kept, now, hash);
      }
      return hash;
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read " + file + ": " + IoReason.of(e), "See who may read it", e);
    }
  }

  private static boolean rests(Path file, Instant start) throws IOException {
    return Files.getLastModifiedTime(file).toInstant().isBefore(start.minus(RESTED));
  }

  /** What another content of the file would change. */
  private static String identity(Path file) throws IOException {
    BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
    boolean unix = file.getFileSystem().supportedFileAttributeViews().contains("unix");
    return String.join(
        "\t",
        String.valueOf(attributes.size()),
        attributes.lastModifiedTime().toInstant().toString(),
        String.valueOf(attributes.fileKey()),
        unix ? String.valueOf(Files.getAttribute(file, "unix:ctime")) : "",
        file.toString());
  }

  /** Empty where nothing is kept, or what is kept is of another state of the file, or damaged. */
  private static Optional<byte[]> read(Path kept, String identity) throws IOException {
    if (!Files.exists(kept)) {
      return Optional.empty();
    }
    // As Latin-1 any bytes are text.
    List<String> lines = Files.readAllLines(kept, StandardCharsets.ISO_8859_1);
    if (lines.size() == 4 && lines.get(3).equals(hex(lines.get(1) + lines.get(2)))) {
      return lines.get(1).equals(hex(identity))
          ? Optional.of(HexFormat.of().parseHex(lines.get(2)))
          : Optional.empty();
    }
    DamagedCache.report(kept, "its lines do not match their checksum", "the file is hashed again");
    return Optional.empty();
  }

  /** A folder that cannot be written costs time at the next start, and is no reason to end. */
  private static void keep(Path folder, Path kept, String identity, byte[] hash) {
    String of = hex(identity);
    String digits = HexFormat.of().formatHex(hash);
    String lines = String.join("\n", HEADER, of, digits, hex(of + digits)) + "\n";
    try {
      Files.createDirectories(folder);
      CrashSafeFiles.publish(kept, lines.getBytes(StandardCharsets.ISO_8859_1));
    } catch (IOException e) {
      System.err.println(
          "duoka: cannot keep the hash of a file in " + folder + ": " + IoReason.of(e));
    }
  }

  private static byte[] hash(Path file) throws IOException {
    MessageDigest digest = Sha256.digest();
    byte[] chunk = new byte[CHUNK_BYTES];
    try (InputStream in = Files.newInputStream(file)) {
      for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
        digest.update(chunk, 0, count);
      }
    }
    return digest.digest();
  }

  private static String hex(String text) {
    return HexFormat.of().formatHex(Sha256.of(text.getBytes(StandardCharsets.UTF_8)));
  }
}
