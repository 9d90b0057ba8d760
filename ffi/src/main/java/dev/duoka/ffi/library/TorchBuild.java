package dev.duoka.ffi.library;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What an installed LibTorch was built for. */
public final class TorchBuild {
  private static final Pattern CUDA = Pattern.compile("(?m)^cuda[^=\\n]*= *'(\\d+)\\.(\\d+)");
  private static final Pattern LOCAL_VERSION = Pattern.compile(".*\\+cu(\\d+)(\\d).*");

  private TorchBuild() {}

  /**
   * The CUDA version that a build was made with, as {@code cuDriverGetVersion} counts: 13000 for
   * 13.0. Read from {@code torch/version.py}, else from a version such as {@code 2.11.0+cu130};
   * empty for a CPU build and where neither tells.
   */
  public static Optional<Integer> cudaVersion(LibraryChoice choice) {
    if (!choice.cuda()) {
      return Optional.empty();
    }
    Matcher stated = CUDA.matcher(versionFile(choice));
    if (stated.find()) {
      return Optional.of(number(stated));
    }
    Matcher local = LOCAL_VERSION.matcher(choice.version());
    return local.matches() ? Optional.of(number(local)) : Optional.empty();
  }

  private static int number(Matcher matcher) {
    return Integer.parseInt(matcher.group(1)) * 1000 + Integer.parseInt(matcher.group(2)) * 10;
  }

  private static String versionFile(LibraryChoice choice) {
    Path file = choice.folder().resolve("../version.py");
    try {
      return Files.exists(file) ? Files.readString(file) : "";
    } catch (IOException e) {
      return ""; // then the version's suffix has to tell
    }
  }
}
