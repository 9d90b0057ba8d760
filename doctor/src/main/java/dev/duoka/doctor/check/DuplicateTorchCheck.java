package dev.duoka.doctor.check;

import dev.duoka.machine.probe.Software;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Two installations of PyTorch in one environment overwrite each other's files. */
final class DuplicateTorchCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "duplicate-torch",
          "One PyTorch",
          "site-packages and conda-meta of every environment",
          "warning when one environment holds two; a note when environments differ");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    Optional<List<Software.PythonPackage>> packages =
        out.known("packages", machine.machine().software().packages());
    if (packages.isEmpty()) {
      return;
    }
    Map<String, Set<String>> versions = new TreeMap<>();
    for (Software.PythonPackage known : packages.get()) {
      if (known.name().equals("torch") || known.name().equals("pytorch")) {
        versions
            .computeIfAbsent(environment(known.place()), _ -> new TreeSet<>())
            .add(known.version().replaceFirst("\\+.*", "") + " (" + known.installer() + ")");
      }
    }
    versions.forEach(
        (place, found) -> {
          if (found.size() > 1) {
            out.warning(
                place + " holds PyTorch " + String.join(" and ", found),
                "files of both lie over each other; which part of which is loaded depends on the"
                    + " order of installation",
                "pip uninstall -y torch; conda remove --force pytorch;"
                    + " pip install torch   # in that environment");
          }
        });
    List<Software.Torch> torches =
        machine.machine().software().torches().optional().orElse(List.of());
    Set<String> different = new TreeSet<>();
    torches.forEach(torch -> different.add(torch.version()));
    if (different.size() > 1) {
      Software.Torch first = torches.getFirst();
      out.note(
          torches.size()
              + " installations of PyTorch: "
              + torches.stream()
                  .map(torch -> torch.version() + " in " + torch.place())
                  .collect(Collectors.joining(", ")),
          "duoka takes the first that it can use in that order: "
              + first.version()
              + " in "
              + first.place(),
          first.place().startsWith("/")
              ? "export DUOKA_LIBTORCH=" + first.place() + "/lib   # or another's lib folder"
              : "set DUOKA_LIBTORCH to the torch/lib folder of the one that is meant");
    }
  }

  /** The environment that a site-packages folder belongs to. */
  private static String environment(String place) {
    return place.replaceFirst("/lib/python3[^/]*/(site|dist)-packages.*", "");
  }
}
