package dev.duoka.machine.probe;

import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads {@code pip list}, {@code pip freeze}, {@code conda list} and PyTorch's {@code collect_env}.
 * Keeps torch, triton and NVIDIA's packages.
 */
final class PackageListReader {
  static final Pattern FREEZE = Pattern.compile("([A-Za-z][A-Za-z0-9._-]*)==([0-9][^\\s;]*)");
  static final Pattern COLUMNS =
      Pattern.compile(
          "([A-Za-z][A-Za-z0-9._-]*)\\s{2,}(v?[0-9][^\\s]*)(?:\\s+(\\S+))?(?:\\s+(\\S+))?\\s*");
  private static final Pattern WANTED =
      Pattern.compile(
          "torch|pytorch|pytorch-cuda|libtorch|triton|nvidia-.*|cuda-toolkit|cudatoolkit|cudnn|nccl"
              + "|cuda-cudart|deepspeed|flash-attn|torchvision|torchaudio");
  private static final Pattern COLLECTED = Pattern.compile("([A-Z][A-Za-z /]+): (.+)");

  private PackageListReader() {}

  static boolean wanted(String name) {
    return WANTED.matcher(normalise(name)).matches();
  }

  static String normalise(String name) {
    return name.toLowerCase(Locale.ROOT).replaceAll("[-_.]+", "-");
  }

  static void read(String text, SnapshotDraft facts, String source) {
    boolean conda = text.contains("# packages in environment") || text.contains("Build  Channel");
    facts.packagesListed = true;
    for (String raw : text.lines().toList()) {
      String line = raw.strip();
      Matcher freeze = FREEZE.matcher(line);
      Matcher columns = COLUMNS.matcher(line);
      if (freeze.matches()) {
        add(facts, freeze.group(1), freeze.group(2), "pip", source);
      } else if (columns.matches()) {
        // conda marks what pip installed with the channel "pypi"
        boolean byPip =
            !conda || "pypi".equals(columns.group(4)) || "pypi".equals(columns.group(3));
        add(facts, columns.group(1), columns.group(2), byPip ? "pip" : "conda", source);
      }
    }
  }

  /** PyTorch's own report: lines of {@code Name: value}. */
  static void collectEnv(String text, SnapshotDraft facts, String source) {
    String version = "";
    String cuda = "";
    for (String line : text.lines().toList()) {
      Matcher matcher = COLLECTED.matcher(line.strip());
      if (!matcher.matches() || FieldText.isMissing(matcher.group(2))) {
        continue;
      }
      switch (matcher.group(1)) {
        case "PyTorch version" -> version = matcher.group(2);
        case "CUDA used to build PyTorch" -> cuda = matcher.group(2);
        case "Nvidia driver version" -> facts.driverVersions.putIfAbsent(matcher.group(2), source);
        default -> {}
      }
    }
    if (!version.isEmpty()) {
      facts.torches.add(
          new Software.Torch(
              source,
              "unknown",
              version,
              FieldText.number(cuda).optional().isPresent()
                  ? Reading.of(cuda)
                  : Reading.unknown("the report names no CUDA version"),
              Reading.unknown("the report does not list them")));
    }
  }

  private static void add(
      SnapshotDraft facts, String name, String version, String installer, String place) {
    if (wanted(name)) {
      facts.packages.add(new Software.PythonPackage(normalise(name), version, installer, place));
    }
  }

  /** PyTorch installations that a list of packages speaks of, where no better source is there. */
  static List<Software.Torch> torches(List<Software.PythonPackage> packages) {
    return packages.stream()
        .filter(p -> p.name().equals("torch") || p.name().equals("pytorch"))
        .map(
            p ->
                new Software.Torch(
                    p.place(),
                    p.installer(),
                    p.version(),
                    cuda(p.version()),
                    Reading.unknown("a list of packages does not tell")))
        .toList();
  }

  /** The CUDA version in a local version such as {@code 2.11.0+cu130}. */
  static Reading<String> cuda(String version) {
    Matcher matcher = Pattern.compile(".*\\+cu(\\d+)(\\d)\\b.*").matcher(version);
    return matcher.matches()
        ? Reading.of(matcher.group(1) + "." + matcher.group(2))
        : Reading.unknown("the version " + version + " does not tell");
  }
}
