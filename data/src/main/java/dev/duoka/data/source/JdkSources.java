package dev.duoka.data.source;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Finds {@code lib/src.zip}, the source text of the JDK's own classes. */
final class JdkSources {
  private static final String SOURCE_ZIP = "lib/src.zip";

  private JdkSources() {}

  static Path find() {
    return find(Path.of(System.getProperty("java.home")), System.getenv(), Path.of("/usr/lib/jvm"));
  }

  /** The running JDK's if it has one; a linked runtime has none, so other JDKs are looked at. */
  static Path find(Path javaHome, Map<String, String> environment, Path jvmFolder) {
    List<Path> candidates = new ArrayList<>();
    candidates.add(javaHome);
    for (String variable : new String[] {"JAVA_HOME", "DUOKA_JAVA_HOME"}) {
      String home = environment.get(variable);
      if (home != null && !home.isBlank()) {
        candidates.add(Path.of(home));
      }
    }
    candidates.addAll(newestFirst(jvmFolder));
    for (Path home : candidates) {
      Path zip = home.resolve(SOURCE_ZIP);
      if (Files.isRegularFile(zip)) {
        return zip;
      }
    }
    throw new DuokaException(
        ErrorCode.DATA,
        "jdk:src needs a JDK's "
            + SOURCE_ZIP
            + " and none was found; looked in "
            + String.join(", ", candidates.stream().map(Path::toString).toList()),
        "Install a JDK with its sources (Debian: temurin-25-jdk, or openjdk-25-source), set"
            + " DUOKA_JAVA_HOME to one, or train on files of your own.");
  }

  private static List<Path> newestFirst(Path jvmFolder) {
    if (!Files.isDirectory(jvmFolder)) {
      return List.of();
    }
    List<Path> homes = new ArrayList<>();
    try (Stream<Path> folders = Files.list(jvmFolder)) {
      folders.forEach(homes::add);
    } catch (IOException e) {
      throw unlistable(jvmFolder, e);
    } catch (UncheckedIOException e) {
      throw unlistable(jvmFolder, e);
    }
    homes.sort(
        (a, b) -> {
          int byVersion = Integer.compare(version(b), version(a));
          return byVersion != 0 ? byVersion : a.compareTo(b);
        });
    return homes;
  }

  private static DuokaException unlistable(Path folder, Exception cause) {
    return new DuokaException(
        ErrorCode.DATA,
        "cannot list " + folder + " to find a JDK's sources: " + SourceErrors.reason(cause),
        "Set DUOKA_JAVA_HOME to a JDK.",
        cause);
  }

  /** The first number in a folder's name: 25 for {@code temurin-25-jdk-amd64}. */
  private static int version(Path home) {
    String digits =
        home.getFileName().toString().replaceFirst("^\\D*", "").replaceFirst("\\D.*$", "");
    return digits.isEmpty() || digits.length() > 4 ? 0 : Integer.parseInt(digits);
  }
}
