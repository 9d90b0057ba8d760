package dev.duoka.machine.probe;

import dev.duoka.ffi.library.DeviceCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds PyTorch and the copies of NVIDIA's libraries on disk, in the order in which they are found
 * by a program, without running Python.
 */
final class SoftwareScan {
  private static final List<String> LIBRARIES = List.of("libcudart", "libcudnn", "libnccl");
  private static final Pattern VERSION = Pattern.compile("__version__ = '([^']*)'");
  private static final Pattern CUDA = Pattern.compile("(?m)^cuda[^=\\n]*= *'([\\d.]+)");
  private static final Pattern DIST_INFO =
      Pattern.compile("([A-Za-z0-9][A-Za-z0-9._-]*?)-(\\d[^-]*)\\.(?:dist|egg)-info");
  private static final Pattern CONDA_META = Pattern.compile("(.+)-([^-]+)-[^-]+\\.json");
  private static final Pattern TOOLKIT = Pattern.compile("\"version\"\\s*:\\s*\"(\\d+\\.\\d+)");

  private final SystemFiles files;
  private final Map<String, String> environment;
  private final SnapshotDraft facts;
  private final boolean readCode;
  private final Set<Path> seen = new LinkedHashSet<>();

  /**
   * @param readCode whether to look into the CUDA library for which cards it was built
   */
  SoftwareScan(
      SystemFiles files, Map<String, String> environment, SnapshotDraft facts, boolean readCode) {
    this.files = files;
    this.environment = environment;
    this.facts = facts;
    this.readCode = readCode;
  }

  void read() {
    facts.packagesListed = true;
    facts.librariesListed = true;
    String explicit = environment.getOrDefault("DUOKA_LIBTORCH", "");
    if (explicit.startsWith("/")) {
      Path folder = files.path(explicit);
      torch(folder.endsWith("lib") ? parent(folder) : folder, "DUOKA_LIBTORCH");
    }
    List<Path> prefixes = prefixes();
    List<Path> sites = new ArrayList<>();
    prefixes.forEach(prefix -> sites.addAll(sites(prefix)));
    for (Path prefix : prefixes) {
      conda(prefix);
    }
    for (Path site : sites) {
      packages(site);
    }
    for (Path site : sites) {
      torch(site.resolve("torch"), "");
      libraries(site.resolve("torch/lib"), "PyTorch in " + shown(site));
      for (Path child : children(site.resolve("nvidia"))) {
        libraries(child.resolve("lib"), "packages in " + shown(site));
      }
    }
    for (String folder : environment.getOrDefault("LD_LIBRARY_PATH", "").split(":")) {
      if (folder.startsWith("/")) {
        libraries(files.path(folder), "LD_LIBRARY_PATH");
      }
    }
    for (Path prefix : prefixes) {
      if (Files.isDirectory(prefix.resolve("conda-meta"))) {
        libraries(prefix.resolve("lib"), "conda in " + shown(prefix));
      }
    }
    for (Path child : children(files.path("usr/local"))) {
      if (String.valueOf(child.getFileName()).startsWith("cuda")) {
        libraries(child.resolve("lib64"), "CUDA toolkit " + shown(child));
      }
    }
    for (String folder :
        List.of("usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib64")) {
      libraries(files.path(folder), "the system");
    }
    files
        .text("usr/local/cuda/version.json")
        .map(TOOLKIT::matcher)
        .filter(Matcher::find)
        .ifPresent(matcher -> facts.toolkit = matcher.group(1));
  }

  private List<Path> prefixes() {
    Set<Path> prefixes = new LinkedHashSet<>();
    for (String variable : List.of("VIRTUAL_ENV", "CONDA_PREFIX")) {
      String value = environment.getOrDefault(variable, "");
      if (value.startsWith("/")) {
        prefixes.add(files.path(value));
      }
    }
    for (String entry : environment.getOrDefault("PATH", "").split(":")) {
      Path folder = entry.startsWith("/") ? files.path(entry) : files.path("nowhere");
      if (Files.exists(folder.resolve("python3"))) {
        prefixes.add(parent(folder));
      }
    }
    String home = environment.getOrDefault("HOME", "");
    if (home.startsWith("/")) {
      prefixes.add(files.path(home).resolve(".local"));
      prefixes.addAll(children(files.path(home).resolve(".pyenv/versions")));
    }
    for (String place : List.of("usr/local", "usr", "opt/conda", "opt/venv")) {
      prefixes.add(files.path(place));
    }
    return prefixes.stream().filter(Files::isDirectory).toList();
  }

  private List<Path> sites(Path prefix) {
    List<Path> sites = new ArrayList<>();
    List<Path> libraries = new ArrayList<>(children(prefix.resolve("lib")));
    libraries.add(prefix.resolve("lib/python3"));
    for (Path library : libraries) {
      if (String.valueOf(library.getFileName()).startsWith("python3")) {
        for (String name : List.of("site-packages", "dist-packages")) {
          Path site = library.resolve(name);
          if (Files.isDirectory(site) && seen.add(real(site))) {
            sites.add(site);
          }
        }
      }
    }
    return sites;
  }

  private void packages(Path site) {
    for (Path child : children(site)) {
      Matcher matcher = DIST_INFO.matcher(String.valueOf(child.getFileName()));
      if (matcher.matches() && PackageListReader.wanted(matcher.group(1))) {
        facts.packages.add(
            new Software.PythonPackage(
                PackageListReader.normalise(matcher.group(1)),
                matcher.group(2),
                installer(child),
                shown(site)));
      }
    }
  }

  private String installer(Path distInfo) {
    try {
      String text = Files.readString(distInfo.resolve("INSTALLER")).strip();
      return text.equals("conda") ? "conda" : "pip";
    } catch (IOException e) {
      return "pip"; // packages without the file are older, or made by other tools of pip's kind
    }
  }

  private void conda(Path prefix) {
    for (Path child : children(prefix.resolve("conda-meta"))) {
      Matcher matcher = CONDA_META.matcher(String.valueOf(child.getFileName()));
      if (matcher.matches() && PackageListReader.wanted(matcher.group(1))) {
        facts.packages.add(
            new Software.PythonPackage(
                PackageListReader.normalise(matcher.group(1)),
                matcher.group(2),
                "conda",
                shown(prefix)));
      }
    }
  }

  private void torch(Path folder, String how) {
    if (!Files.isDirectory(folder.resolve("lib")) || !seen.add(real(folder))) {
      return;
    }
    String source = "";
    try {
      source = Files.readString(folder.resolve("version.py"));
    } catch (IOException e) {
      // LibTorch without Python has no such file; its version stays unknown
    }
    Matcher version = VERSION.matcher(source);
    Matcher cuda = CUDA.matcher(source);
    String number = version.find() ? version.group(1) : "unknown";
    facts.torches.add(
        new Software.Torch(
            shown(folder),
            how.isEmpty() ? installerOf(folder, number) : how,
            number,
            cuda.find() ? Reading.of(cuda.group(1)) : PackageListReader.cuda(number),
            facts.torches.isEmpty() ? code(folder) : Reading.unknown("not the one in use")));
  }

  private String installerOf(Path torch, String version) {
    String place = shown(parent(torch));
    String base = version.replaceFirst("\\+.*", "");
    for (Software.PythonPackage known : facts.packages) {
      boolean sameVersion = known.version().replaceFirst("\\+.*", "").equals(base);
      if (known.name().equals("pytorch") && place.startsWith(known.place()) && sameVersion) {
        return "conda";
      }
    }
    return facts.packages.stream()
        .filter(known -> known.name().equals("torch") && known.place().equals(place))
        .findFirst()
        .map(Software.PythonPackage::installer)
        .orElse("system");
  }

  private Reading<String> code(Path torch) {
    Path library = torch.resolve("lib/libtorch_cuda.so");
    if (!readCode || !Files.exists(library)) {
      return Reading.unknown("it has no libtorch_cuda.so");
    }
    try {
      return Reading.of(DeviceCode.of(library).text());
    } catch (IOException e) {
      return Reading.unknown(library + " cannot be read: " + e.getMessage());
    }
  }

  private void libraries(Path folder, String owner) {
    for (Path file : children(folder)) {
      String name = String.valueOf(file.getFileName());
      for (String library : LIBRARIES) {
        if (name.matches(Pattern.quote(library) + "(-[0-9a-f]+)?\\.so(\\.\\d+)*")
            && Files.isRegularFile(file)
            && seen.add(real(file))) {
          facts.libraries.add(
              new Software.Library(library, shown(file), owner, version(library, real(file))));
        }
      }
    }
  }

  /** From the name of the real file, else from the package that brought it. */
  private Reading<String> version(String library, Path file) {
    Matcher number =
        Pattern.compile(".*\\.so\\.(\\d+\\.\\d+.*)").matcher(String.valueOf(file.getFileName()));
    if (number.matches()) {
      return Reading.of(number.group(1));
    }
    String wanted =
        switch (library) {
          case "libcudart" -> "nvidia-cuda-runtime(-cu\\d+)?";
          case "libcudnn" -> "nvidia-cudnn-cu\\d+";
          default -> "nvidia-nccl-cu\\d+";
        };
    String place = shown(file);
    Optional<String> version =
        facts.packages.stream()
            .filter(known -> known.name().matches(wanted) && place.startsWith(known.place()))
            .findFirst()
            .map(Software.PythonPackage::version);
    return Reading.of(version, "neither its name nor a package tells");
  }

  private static List<Path> children(Path folder) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    List<Path> children = new ArrayList<>();
    for (String name : new SystemFiles(folder).names("")) {
      children.add(folder.resolve(name));
    }
    return children;
  }

  private static Path parent(Path path) {
    Path parent = path.getParent();
    return parent == null ? path : parent;
  }

  private static Path real(Path path) {
    try {
      return path.toRealPath();
    } catch (IOException e) {
      return path;
    }
  }

  /** The path as it is on the machine, also when the root is a copy. */
  private String shown(Path path) {
    Path root = files.path("");
    Path place = path.startsWith(root) ? path : real(path);
    return place.startsWith(root) && !root.equals(Path.of("/"))
        ? "/" + root.relativize(place)
        : place.toString();
  }
}
