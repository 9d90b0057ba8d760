package dev.duoka.ffi.library;

import dev.duoka.base.CacheFolder;
import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DamagedCache;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.Sha256;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Unpacks the shared libraries of Maven's LibTorch and OpenBLAS jars, once, into {@code
 * <cache>/natives/<key>/} where the key is a hash of the names, sizes and checksums of what is in
 * there. All libraries lie in one folder, so that they find each other through their {@code
 * $ORIGIN} run path.
 *
 * <p>The folder appears when all of it is on disk, and is checked at each start by {@link
 * CheckedFiles}: a library that is damaged would end the process by a signal.
 */
final class NativesCache {
  /** System property: a folder that holds the native jars of the packaged application. */
  static final String NATIVES_PROPERTY = "duoka.natives";

  private static final Pattern LIBTORCH_JAR = Pattern.compile("pytorch-(.+)-linux-x86_64\\.jar");
  private static final Pattern OPENBLAS_JAR = Pattern.compile("openblas-(.+)-linux-x86_64\\.jar");

  private static final String TEMPORARY_PREFIX = "unpacking-";

  /** Unpacking takes seconds: a temporary folder of that age belongs to a process that died. */
  private static final Duration LEFTOVER_AGE = Duration.ofDays(1);

  private NativesCache() {}

  /** The folder with the unpacked libraries, or nothing when the jars are not there. */
  static Optional<Path> unpacked() {
    List<Path> jars = jars();
    if (jars.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(unpack(jars, CacheFolder.of("natives")));
    } catch (IOException e) {
      throw new DuokaException(
          IoReason.isFull(e) ? ErrorCode.NO_SPACE : ErrorCode.IO,
          "cannot unpack the native libraries into "
              + CacheFolder.of("natives")
              + ": "
              + IoReason.of(e),
          "About 450 MB must be free and writable there; set XDG_CACHE_HOME to use another place",
          e);
    }
  }

  /** Whether the jars are there. */
  static boolean isThere() {
    return !jars().isEmpty();
  }

  /** The version in the LibTorch jar's name, for example {@code 2.10.0}; empty without the jar. */
  static String version() {
    for (Path jar : jars()) {
      Matcher matcher = LIBTORCH_JAR.matcher(String.valueOf(jar.getFileName()));
      if (matcher.matches()) {
        return matcher.group(1).replaceFirst("-.*", "");
      }
    }
    return "";
  }

  static Path unpack(List<Path> jars, Path root) throws IOException {
    List<PackedLibrary> libraries = PackedLibrary.in(jars);
    Path target = root.resolve(key(libraries));
    if (Files.isDirectory(target)) {
      check(libraries, target);
      return target;
    }
    Files.createDirectories(root);
    deleteLeftovers(root);
    Path temporary = Files.createTempDirectory(root, TEMPORARY_PREFIX);
    try {
      CheckedFiles checked = new CheckedFiles();
      for (PackedLibrary library : libraries) {
        Path file = temporary.resolve(library.name());
        library.unpack(file);
        checked.add(file);
      }
      checked.save(temporary);
      try {
        Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
      } catch (FileSystemException e) {
        // Another process was faster; what it unpacked is the same, by content.
        if (!Files.isDirectory(target)) {
          throw e;
        }
      }
      CrashSafeFiles.syncFolder(root);
      return target;
    } finally {
      CrashSafeFiles.deleteTree(temporary);
    }
  }

  /**
   * Reads what is not known to be right, and unpacks again what is damaged. A new file takes the
   * damaged one's name: processes that run keep the file that they have.
   */
  private static void check(List<PackedLibrary> libraries, Path folder) throws IOException {
    CheckedFiles checked = CheckedFiles.in(folder);
    for (PackedLibrary library : libraries) {
      Path file = folder.resolve(library.name());
      if (Files.exists(file) && checked.trusts(file)) {
        continue;
      }
      Optional<String> damage = library.damage(file);
      if (damage.isPresent()) {
        DamagedCache.report(file, damage.get(), "it is unpacked again");
        replace(library, file);
      }
      checked.add(file);
    }
    try {
      checked.save(folder);
    } catch (AccessDeniedException _) {
      // A cache that others own: all is read at each start.
    } catch (FileSystemException e) {
      if (!IoReason.isReadOnly(e)) {
        throw e;
      }
    }
  }

  private static void replace(PackedLibrary library, Path file) throws IOException {
    Path temporary = Files.createTempFile(file.getParent(), TEMPORARY_PREFIX, ".tmp");
    try {
      library.unpack(temporary);
      if (Files.isDirectory(file)) {
        CrashSafeFiles.deleteTree(file);
      }
      CrashSafeFiles.moveIntoPlace(temporary, file);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private static void deleteLeftovers(Path root) throws IOException {
    Instant limit = Instant.now().minus(LEFTOVER_AGE);
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(root, TEMPORARY_PREFIX + "*")) {
      for (Path folder : folders) {
        try {
          if (Files.getLastModifiedTime(folder).toInstant().isBefore(limit)) {
            CrashSafeFiles.deleteTree(folder);
          }
        } catch (NoSuchFileException _) {
          // Another unpacker has moved it to its place meanwhile, or deletes it too.
        }
      }
    }
  }

  private static String key(List<PackedLibrary> libraries) {
    StringBuilder content = new StringBuilder();
    for (PackedLibrary library : libraries) {
      content
          .append(library.entry())
          .append(' ')
          .append(library.size())
          .append(' ')
          .append(library.crc())
          .append('\n');
    }
    byte[] hash = Sha256.of(content.toString().getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().formatHex(hash, 0, 12);
  }

  /** The two jars: beside the packaged program, or on the class or module path of a test. */
  private static List<Path> jars() {
    List<Path> places = new ArrayList<>();
    String folder = System.getProperty(NATIVES_PROPERTY);
    if (folder != null) {
      try (Stream<Path> files = Files.list(Path.of(folder))) {
        files.sorted().forEach(places::add);
      } catch (IOException e) {
        throw new DuokaException(
            ErrorCode.IO,
            "cannot list the natives folder " + folder + ": " + e.getMessage(),
            "Rebuild with 'mvn package', or unpack the bundle again",
            e);
      }
    }
    for (String property :
        List.of("java.class.path", "jdk.module.path", "surefire.test.class.path")) {
      for (String entry : System.getProperty(property, "").split(File.pathSeparator)) {
        places.add(Path.of(entry));
      }
    }
    List<Path> jars = new ArrayList<>();
    for (Pattern wanted : List.of(OPENBLAS_JAR, LIBTORCH_JAR)) {
      places.stream()
          .filter(path -> wanted.matcher(String.valueOf(path.getFileName())).matches())
          .filter(Files::exists)
          .findFirst()
          .ifPresent(jars::add);
    }
    return jars.size() == 2 ? jars : List.of();
  }
}
