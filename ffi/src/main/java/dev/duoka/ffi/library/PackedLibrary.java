package dev.duoka.ffi.library;

import dev.duoka.base.CrashSafeFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * A shared library as it lies in a jar.
 *
 * @param jar that it is in
 * @param entry its name there
 * @param size bytes when unpacked
 * @param crc CRC-32 of them
 */
record PackedLibrary(Path jar, String entry, long size, long crc) {
  /** Libraries of the JavaCPP bindings, which are not used here. */
  private static final String UNUSED_PREFIX = "libjni";

  private static final int CHUNK = 1 << 20;

  /** All that are used, jar by jar. */
  static List<PackedLibrary> in(List<Path> jars) throws IOException {
    List<PackedLibrary> libraries = new ArrayList<>();
    for (Path jar : jars) {
      try (ZipFile zip = new ZipFile(jar.toFile())) {
        for (Enumeration<? extends ZipEntry> e = zip.entries(); e.hasMoreElements(); ) {
          ZipEntry entry = e.nextElement();
          PackedLibrary library =
              new PackedLibrary(jar, entry.getName(), entry.getSize(), entry.getCrc());
          String name = library.name();
          if (!entry.isDirectory() && name.contains(".so") && !name.startsWith(UNUSED_PREFIX)) {
            libraries.add(library);
          }
        }
      }
    }
    return libraries;
  }

  /** The file name. */
  String name() {
    return entry.substring(entry.lastIndexOf('/') + 1);
  }

  /** What is wrong with an unpacked file, by its size and all of its bytes; empty for nothing. */
  Optional<String> damage(Path file) throws IOException {
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      return Optional.of("it is missing");
    }
    long found = Files.size(file);
    if (found != size) {
      return Optional.of("it has " + found + " bytes instead of " + size);
    }
    CRC32 sum = new CRC32();
    try (InputStream in = Files.newInputStream(file)) {
      byte[] chunk = new byte[CHUNK];
      for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
        sum.update(chunk, 0, count);
      }
    }
    return sum.getValue() == crc ? Optional.empty() : Optional.of("it does not match its checksum");
  }

  /** Unpacks to a file that must not exist; durable when this returns. */
  void unpack(Path file) throws IOException {
    try (ZipFile zip = new ZipFile(jar.toFile());
        CheckedInputStream in =
            new CheckedInputStream(zip.getInputStream(zip.getEntry(entry)), new CRC32())) {
      Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
      if (in.getChecksum().getValue() != crc) {
        throw new IOException(
            "the library "
                + entry
                + " in "
                + jar
                + " does not match its checksum: the jar is damaged");
      }
    }
    CrashSafeFiles.syncFile(file);
  }
}
