package dev.duoka.diagnosis.log;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/** Turns the arguments of a command line (files, folders, {@code -}) into logs. */
public final class LogSources {
  /** Endings of files in a run's folder that hold no log. */
  private static final Set<String> NOT_LOGS =
      Set.of(
          ".safetensors",
          ".bin",
          ".pt",
          ".pth",
          ".npy",
          ".npz",
          ".idx",
          ".so",
          ".jar",
          ".png",
          ".jpg",
          ".svg",
          ".pdf",
          ".zip",
          ".tar",
          ".zst",
          ".xz",
          ".parquet",
          ".arrow",
          ".py",
          ".pyc",
          ".java",
          ".class",
          ".model",
          ".html");

  private LogSources() {}

  /**
   * The logs that the arguments name, each once, in their order; a folder's in the order of names.
   *
   * @param standardInput what {@code -} stands for
   */
  public static List<LogSource> of(List<String> arguments, InputStream standardInput) {
    Set<Path> files = new LinkedHashSet<>();
    List<LogSource> sources = new ArrayList<>();
    boolean piped = false;
    for (String argument : arguments) {
      if (argument.equals("-")) {
        if (piped) {
          throw usage("'-' is given twice", "Standard input can be read once; name it once.");
        }
        piped = true;
        sources.add(new LogSource("-", () -> standardInput));
        continue;
      }
      Path path = Path.of(argument);
      if (!Files.exists(path)) {
        throw usage("cannot read " + path + ": there is no such file", "Check the path.");
      }
      List<Path> found = Files.isDirectory(path) ? within(path) : List.of(path);
      for (Path file : found) {
        if (files.add(file.toAbsolutePath().normalize())) {
          sources.add(LogSource.file(file));
        }
      }
    }
    if (sources.isEmpty()) {
      throw usage(
          "there is no log in " + String.join(", ", arguments),
          "Name log files, a folder that holds some, or - for standard input.");
    }
    return List.copyOf(sources);
  }

  private static List<Path> within(Path folder) {
    try (Stream<Path> walk = Files.walk(folder)) {
      return walk.filter(Files::isRegularFile).filter(LogSources::looksLikeLog).sorted().toList();
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "cannot read " + folder + ": " + LogSource.reason(e),
          "Check its permissions.",
          e);
    }
  }

  private static boolean looksLikeLog(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    int dot = name.lastIndexOf('.');
    if (name.startsWith(".") || (dot >= 0 && NOT_LOGS.contains(name.substring(dot)))) {
      return false;
    }
    if (name.endsWith(".gz")) {
      return true;
    }
    try (InputStream bytes = Files.newInputStream(file)) {
      byte[] sample = bytes.readNBytes(TextKind.SAMPLE);
      boolean zeros = new String(sample, StandardCharsets.ISO_8859_1).indexOf('\0') >= 0;
      return switch (TextKind.of(sample)) {
        case UTF_8 -> !zeros;
        case UTF_16_LITTLE, UTF_16_BIG -> true;
        case BINARY -> false;
      };
    } catch (IOException e) {
      return false;
    }
  }

  private static DuokaException usage(String problem, String remedy) {
    return new DuokaException(ErrorCode.USAGE, problem, remedy);
  }
}
