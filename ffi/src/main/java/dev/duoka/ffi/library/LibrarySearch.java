package dev.duoka.ffi.library;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Decides which LibTorch to load. The first usable of: the property {@value #PROPERTY}, the
 * environment variable {@value #VARIABLE}, an installed PyTorch (pip, conda or an NGC image), the
 * natives that come from Maven Central.
 *
 * <p>The two explicit ways never fall through: what they name is used or the search fails.
 */
public final class LibrarySearch {
  /** System property that names a folder with {@code libtorch_cpu.so}. */
  public static final String PROPERTY = "duoka.libtorch";

  /** Environment variable that names a folder with {@code libtorch_cpu.so}. */
  public static final String VARIABLE = "DUOKA_LIBTORCH";

  private static final Pattern VERSION = Pattern.compile("__version__ = '([^']*)'");
  private static final Pattern MAJOR_MINOR = Pattern.compile("(\\d+)\\.(\\d+).*");

  private final Map<String, String> environment;
  private final Path fileSystemRoot;
  private final List<LibraryChoice> considered = new ArrayList<>();

  /** A search over this machine and this process's environment. */
  public LibrarySearch() {
    this(System.getenv(), Path.of("/"));
  }

  /** A search over a made-up machine, for tests. */
  LibrarySearch(Map<String, String> environment, Path fileSystemRoot) {
    this.environment = environment;
    this.fileSystemRoot = fileSystemRoot;
  }

  /** Every installation looked at so far, in order, the chosen one included. */
  public List<LibraryChoice> considered() {
    return List.copyOf(considered);
  }

  /** Whether there is any that could be chosen, without unpacking or loading it. */
  public boolean findsAny() {
    return System.getProperty(PROPERTY) != null
        || environment.get(VARIABLE) != null
        || !PythonPackages.find("torch", environment, fileSystemRoot).isEmpty()
        || NativesCache.isThere();
  }

  /**
   * Chooses the installation to load.
   *
   * @throws DuokaException when an explicit choice cannot be used, or when there is none at all
   */
  public LibraryChoice choose() {
    LibraryChoice explicit = explicitChoice();
    if (explicit != null) {
      return explicit;
    }
    LibraryChoice chosen = null;
    for (Path torch : PythonPackages.find("torch", environment, fileSystemRoot)) {
      LibraryChoice choice = assess("installed PyTorch", torch.resolve("lib"), torch);
      considered.add(
          chosen != null && choice.usable()
              ? new LibraryChoice(
                  choice.origin(),
                  choice.folder(),
                  choice.version(),
                  choice.cuda(),
                  true,
                  "passed over: an earlier one on the search path was chosen")
              : choice);
      if (chosen == null && choice.usable()) {
        chosen = choice;
      }
    }
    return chosen != null ? chosen : mavenNatives();
  }

  private @Nullable LibraryChoice explicitChoice() {
    for (boolean property : new boolean[] {true, false}) {
      String value = property ? System.getProperty(PROPERTY) : environment.get(VARIABLE);
      if (value == null || value.isBlank()) {
        continue;
      }
      String origin = property ? "property " + PROPERTY : VARIABLE;
      Path folder = Path.of(value).toAbsolutePath();
      if (Files.isDirectory(folder.resolve("lib"))) {
        folder = folder.resolve("lib");
      }
      LibraryChoice choice = assess(origin, folder, folder.resolve(".."));
      considered.add(choice);
      if (!choice.usable()) {
        throw new DuokaException(
            ErrorCode.NATIVE_LIBRARY,
            origin + " names " + value + ", which cannot be used: " + choice.reason(),
            "Point it at the folder that holds libtorch_cpu.so of LibTorch "
                + SupportedVersions.MINIMUM
                + " or later, or unset it");
      }
      return choice;
    }
    return null;
  }

  private LibraryChoice mavenNatives() {
    Optional<Path> unpacked = NativesCache.unpacked();
    if (unpacked.isEmpty()) {
      throw new DuokaException(
          ErrorCode.NATIVE_LIBRARY,
          "no LibTorch found: no property "
              + PROPERTY
              + ", no "
              + VARIABLE
              + ", no usable PyTorch installation ("
              + considered.size()
              + " passed over), no natives beside the program",
          "Install PyTorch "
              + SupportedVersions.MINIMUM
              + " or later (pip install torch), or set "
              + VARIABLE
              + " to its torch/lib folder; './duoka env' lists what was looked at");
    }
    LibraryChoice choice =
        new LibraryChoice(
            "Maven natives", unpacked.get(), NativesCache.version(), false, true, "chosen");
    considered.add(choice);
    return choice;
  }

  private static LibraryChoice assess(String origin, Path folder, Path packageFolder) {
    boolean cuda = Files.exists(folder.resolve("libtorch_cuda.so"));
    String version = versionOf(packageFolder);
    String problem = "";
    if (!Files.exists(folder.resolve("libtorch_cpu.so"))) {
      problem = "passed over: no libtorch_cpu.so in " + folder;
    } else if (!version.isEmpty() && !SupportedVersions.supports(version)) {
      problem =
          "passed over: version "
              + version
              + " is older than "
              + SupportedVersions.MINIMUM
              + ", the first with the stable C ABI that is needed";
    }
    return new LibraryChoice(
        origin, folder, version, cuda, problem.isEmpty(), problem.isEmpty() ? "chosen" : problem);
  }

  /** The version that {@code torch/version.py} or LibTorch's {@code build-version} states. */
  private static String versionOf(Path packageFolder) {
    try {
      Path python = packageFolder.resolve("version.py");
      if (Files.exists(python)) {
        Matcher matcher = VERSION.matcher(Files.readString(python));
        return matcher.find() ? matcher.group(1) : "";
      }
      Path built = packageFolder.resolve("build-version");
      return Files.exists(built) ? Files.readString(built).strip() : "";
    } catch (IOException e) {
      return "";
    }
  }

  /** The range of LibTorch versions that this project is written for. */
  static final class SupportedVersions {
    static final String MINIMUM = "2.10";

    private SupportedVersions() {}

    static boolean supports(String version) {
      Matcher matcher = MAJOR_MINOR.matcher(version);
      if (!matcher.matches()) {
        return true;
      }
      int major = Integer.parseInt(matcher.group(1));
      int minor = Integer.parseInt(matcher.group(2));
      return major > 2 || (major == 2 && minor >= 10);
    }
  }
}
