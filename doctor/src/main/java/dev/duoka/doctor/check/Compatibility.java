package dev.duoka.doctor.check;

import dev.duoka.formats.json.JsonFields;
import dev.duoka.formats.yaml.YamlData;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Which versions fit together: {@code compatibility.yaml}.
 *
 * @param toolkits the driver that came with each toolkit
 * @param minimumDrivers the oldest driver for each major version of CUDA
 * @param builds what releases of PyTorch are built with
 * @param capabilities the first toolkit for each generation of cards
 * @param lines sets of versions that a machine is measured against
 * @param sources where each table is from, and when it was read, in the order of the tables
 */
record Compatibility(
    List<DriverOf> toolkits,
    List<DriverOf> minimumDrivers,
    List<Build> builds,
    List<FirstToolkit> capabilities,
    List<Line> lines,
    List<String> sources) {

  record DriverOf(String cuda, String driver) {}

  record Build(String version, String cuda, Optional<String> cudnn, Optional<String> nccl) {}

  record FirstToolkit(String capability, String cuda, String cards) {}

  record Line(
      String name,
      Severity severity,
      Optional<String> driver,
      Optional<String> cuda,
      Optional<String> cudnn,
      Optional<String> pytorch,
      String why,
      String source) {}

  static Compatibility load() {
    JsonFields root = YamlData.resource(Compatibility.class, "compatibility.yaml");
    return new Compatibility(
        drivers(root, "toolkits"),
        drivers(root, "minimum_drivers"),
        entries(root, "pytorch").stream()
            .map(
                entry ->
                    new Build(
                        text(entry, "version"),
                        text(entry, "cuda"),
                        entry.text("cudnn"),
                        entry.text("nccl")))
            .toList(),
        entries(root, "capabilities").stream()
            .map(
                entry ->
                    new FirstToolkit(
                        text(entry, "capability"), text(entry, "cuda"), text(entry, "cards")))
            .toList(),
        root.objects("lines").stream().map(Compatibility::line).toList(),
        List.of("toolkits", "minimum_drivers", "pytorch", "capabilities").stream()
            .map(table -> source(root.object(table).orElseThrow()))
            .toList());
  }

  /** The oldest driver that runs programs built with a version of CUDA at all. */
  Optional<String> minimumDriver(String cuda) {
    int major = Version.of(cuda).major();
    return minimumDrivers.stream()
        .filter(entry -> Version.of(entry.cuda()).major() == major)
        .findFirst()
        .map(DriverOf::driver);
  }

  /** The driver from which on everything of a version of CUDA works. */
  Optional<String> toolkitDriver(String cuda) {
    String wanted = Version.of(cuda).majorMinor();
    return toolkits.stream()
        .filter(entry -> entry.cuda().equals(wanted))
        .findFirst()
        .map(DriverOf::driver);
  }

  /** What a release of PyTorch is built with for a version of CUDA. */
  Optional<Build> build(String torch, String cuda) {
    return builds.stream()
        .filter(build -> build.version().equals(Version.of(torch).majorMinor()))
        .filter(build -> build.cuda().equals(Version.of(cuda).majorMinor()))
        .findFirst();
  }

  /** The newest build of PyTorch that a driver can run. */
  Optional<Build> newestFor(String driver) {
    return builds.stream()
        .filter(
            build ->
                minimumDriver(build.cuda())
                    .filter(minimum -> !Version.of(driver).isBefore(minimum))
                    .isPresent())
        .filter(
            build ->
                toolkitDriver(build.cuda())
                        .filter(own -> !Version.of(driver).isBefore(own))
                        .isPresent()
                    || build.cuda().startsWith("12"))
        .findFirst();
  }

  /** The first toolkit with code for a card; of the generation that is nearest from below. */
  Optional<FirstToolkit> firstToolkit(String capability) {
    return capabilities.stream()
        .filter(entry -> entry.capability().equals(Version.of(capability).majorMinor()))
        .findFirst();
  }

  /** How PyTorch is installed for a version of CUDA. */
  static String install(String torch, String cuda) {
    return "pip install --force-reinstall torch=="
        + torch
        + ".0 --index-url https://download.pytorch.org/whl/cu"
        + cuda.replace(".", "");
  }

  private static Line line(JsonFields entry) {
    return new Line(
        text(entry, "name"),
        Severity.valueOf(text(entry, "severity").toUpperCase(Locale.ROOT)),
        entry.text("driver"),
        entry.text("cuda"),
        entry.text("cudnn"),
        entry.text("pytorch"),
        text(entry, "why"),
        source(entry));
  }

  private static List<DriverOf> drivers(JsonFields root, String table) {
    return entries(root, table).stream()
        .map(entry -> new DriverOf(text(entry, "cuda"), text(entry, "driver")))
        .toList();
  }

  private static List<JsonFields> entries(JsonFields root, String table) {
    return root.object(table).orElseThrow().objects("entries");
  }

  private static String source(JsonFields table) {
    return text(table, "source") + "; read " + text(table, "read");
  }

  private static String text(JsonFields fields, String name) {
    return fields
        .text(name)
        .orElseThrow(() -> fields.error("an entry has no '" + name + "'", "Add it"));
  }
}
