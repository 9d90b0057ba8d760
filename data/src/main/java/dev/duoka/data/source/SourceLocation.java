package dev.duoka.data.source;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.NearestName;
import dev.duoka.base.OrdinaryFile;
import dev.duoka.base.UserPath;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;

/** Finds the files that a location names, sorted by id. */
final class SourceLocation {
  private static final String JDK_SOURCES = "jdk:src";
  private static final String JAVA_FILES = "**/*.java";
  private static final String IN_ARCHIVE = "!/";

  private final String location;
  private final @Nullable String formerName;
  private final List<SourceFile> files = new ArrayList<>();
  private @Nullable ZipFile archive;
  private int leftOut;
  private int outside;

  private SourceLocation(String location, @Nullable String formerName) {
    this.formerName = formerName;
    this.location = location;
  }

  static SourceLocation resolve(SourceSpec spec) {
    String location = spec.location();
    SourceLocation resolved =
        new SourceLocation(UserPath.expand(location), spec.formerName().orElse(null));
    try {
      resolved.find();
    } catch (InvalidPathException e) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "'" + location + "' is not a path: " + SourceErrors.reason(e),
          "Name a file, folder, glob, zip or " + JDK_SOURCES + ".",
          e);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.DATA,
          "cannot read the source " + location + ": " + SourceErrors.reason(e),
          "Check that it is complete and readable.",
          e);
    }
    if (resolved.files.isEmpty()) {
      throw new DuokaException(
          ErrorCode.DATA,
          "the source " + location + " holds no files",
          "Check the path and the pattern; ** crosses folders, * does not; names that start with a"
              + " dot are left out.");
    }
    resolved.files.sort(Comparator.comparing(SourceFile::id));
    return resolved;
  }

  List<SourceFile> files() {
    return files;
  }

  /** Files of a folder of a published dataset that are not for training. */
  int leftOut() {
    return leftOut;
  }

  /** Entries of an archive whose names lead out of it. */
  int outside() {
    return outside;
  }

  @Nullable ZipFile archive() {
    return archive;
  }

  private void find() throws IOException {
    int separator = location.indexOf(IN_ARCHIVE);
    if (location.isBlank()) {
      throw new DuokaException(
          ErrorCode.CONFIG, "a source has no location", "Name a file, folder, glob or zip.");
    }
    Unread.refuseAddress(location);
    if (location.equals(JDK_SOURCES)) {
      findEntries(JdkSources.find(), JAVA_FILES);
    } else if (location.startsWith(JDK_SOURCES + "/")) {
      findEntries(JdkSources.find(), location.substring(JDK_SOURCES.length() + 1));
    } else if (location.startsWith("jdk:")) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "the source " + location + " is not known",
          "Use " + JDK_SOURCES + ", or " + JDK_SOURCES + "/java.base/java/util/** for a part.");
    } else if (separator >= 0) {
      findEntries(
          Path.of(location.substring(0, separator)),
          location.substring(separator + IN_ARCHIVE.length()));
    } else if (Files.isDirectory(Path.of(location))) {
      findFiles(Path.of(location), _ -> true, false);
      List<SourceFile> out = DatasetFolder.leftOut(files);
      files.removeAll(out);
      leftOut = out.size();
    } else if (Files.exists(Path.of(location))) {
      Path path = Path.of(location);
      OrdinaryFile.require(path, ErrorCode.DATA);
      Unread.refuse(String.valueOf(path.getFileName()), location, true);
      if (isArchive(path)) {
        findEntries(path, "**");
      } else {
        String name = formerName == null ? path.getFileName().toString() : formerName;
        files.add(local(path, name, true));
      }
    } else if (Glob.isGlob(location)) {
      findByGlob();
    } else {
      throw missing(Path.of(location));
    }
  }

  /** Walks from the deepest folder that the pattern names without special characters. */
  private void findByGlob() throws IOException {
    int special = 0;
    while (!Glob.isGlob(location.substring(0, special + 1))) {
      special++;
    }
    int slash = location.lastIndexOf('/', special);
    String folder = slash < 0 ? "." : slash == 0 ? "/" : location.substring(0, slash);
    Path base = Path.of(folder);
    if (!Files.isDirectory(base)) {
      throw missing(base);
    }
    Glob glob = Glob.of(location.substring(slash + 1));
    findFiles(base, glob::matches, true);
  }

  private void findFiles(Path base, Predicate<String> wanted, boolean named) throws IOException {
    try (Stream<Path> walk = Files.walk(base, FileVisitOption.FOLLOW_LINKS)) {
      for (Path path : (Iterable<Path>) walk::iterator) {
        String id = base.relativize(path).toString().replace('\\', '/');
        if (isHidden(id) || !wanted.test(id)) {
          continue;
        }
        if (Files.isRegularFile(path)) {
          Unread.refuse(String.valueOf(path.getFileName()), path.toString(), named);
          files.add(local(path, id, false));
        } else if (!Files.exists(path)) {
          throw new DuokaException(
              ErrorCode.DATA,
              "the source " + location + " holds " + id + ", a link to a file that is not there",
              "Complete the download, or delete the link.");
        }
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private void findEntries(Path path, String pattern) throws IOException {
    if (!Files.isRegularFile(path)) {
      throw missing(path);
    }
    Glob glob = Glob.of(pattern);
    ZipFile zip = new ZipFile(path.toFile());
    archive = zip;
    outside =
        Math.toIntExact(
            zip.stream()
                .filter(entry -> !entry.isDirectory() && leadsOutside(entry.getName()))
                .count());
    zip.stream()
        .filter(entry -> !entry.isDirectory() && !isHidden(entry.getName()))
        .filter(entry -> !leadsOutside(entry.getName()) && glob.matches(entry.getName()))
        .forEach(entry -> files.add(new SourceFile.ArchiveEntry(zip, entry, false)));
  }

  private static SourceFile local(Path path, String id, boolean named) throws IOException {
    String version = "modified " + Files.getLastModifiedTime(path).toInstant();
    return new SourceFile.Local(path, id, Files.size(path), version, named);
  }

  private static boolean isArchive(Path path) {
    String name = path.toString().toLowerCase(Locale.ROOT);
    return name.endsWith(".zip") || name.endsWith(".jar");
  }

  private static boolean leadsOutside(String id) {
    return id.startsWith("/") || List.of(id.split("[/\\\\]")).contains("..");
  }

  private static boolean isHidden(String id) {
    return id.startsWith(".") || id.contains("/.");
  }

  /** Says which part of the path is not there, and what is there instead. */
  private DuokaException missing(Path path) {
    Path folder = path.toAbsolutePath().normalize();
    Path absent = folder;
    while (folder != null && !Files.exists(folder)) {
      absent = folder;
      folder = folder.getParent();
    }
    String hint = "Check the path; it is relative to the folder that duoka is started in.";
    if (folder != null && Files.isDirectory(folder)) {
      try (Stream<Path> siblings = Files.list(folder)) {
        List<String> names = siblings.map(p -> p.getFileName().toString()).sorted().toList();
        hint =
            NearestName.of(absent.getFileName().toString(), names)
                .map(near -> "Did you mean '" + near + "'?")
                .orElse(hint);
      } catch (IOException _) {
        // The folder cannot be listed: the hint stays general.
      }
    }
    return new DuokaException(
        ErrorCode.DATA, "the source " + location + " does not exist: no " + absent, hint);
  }
}
