package dev.duoka.machine.probe;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes what this machine's tools print into a folder that {@link FolderProbe} reads anywhere: one
 * file a command, copies of the files of /proc and /sys that are looked at, and a manifest. A
 * command that is not there is noted and left out. Serial numbers, variables that look like secrets
 * and lines of the kernel log that speak of other things are not saved.
 */
public final class Capture {
  static final String MANIFEST = "manifest.json";
  static final String ROOT = "root";

  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final Pattern SERIAL =
      Pattern.compile("(?m)^(\\s*(?:Chassis )?Serial Number\\s*:\\s*)(?!N/A)\\S.*$");
  private static final Pattern KERNEL_LINE =
      Pattern.compile(
          ".*(NVRM|nvidia|Xid|NVLink|AER|PCIe Bus Error|pcieport|iommu|IOMMU|DMAR|AMD-Vi|mlx|mce:"
              + "|Hardware Error|Out of memory|oom-kill).*");

  /**
   * What is run.
   *
   * @param file where the output goes
   * @param command the program and its arguments
   */
  private record Entry(String file, List<String> command) {}

  private static final List<Entry> ENTRIES =
      List.of(
          entry("nvidia-smi-q.txt", "nvidia-smi", "-q"),
          entry("nvidia-smi.txt", "nvidia-smi"),
          entry("nvidia-smi-list.txt", "nvidia-smi", "-L"),
          entry("nvidia-smi-topo.txt", "nvidia-smi", "topo", "-m"),
          entry("nvidia-smi-nvlink.txt", "nvidia-smi", "nvlink", "-s"),
          entry(
              "nvidia-smi-csv.txt",
              "nvidia-smi",
              "--query-gpu=index,name,uuid,pci.bus_id,driver_version,compute_cap",
              "--format=csv"),
          entry("lspci-vvv.txt", "lspci", "-D", "-vvv"),
          entry("lspci-tv.txt", "lspci", "-tv"),
          entry("dmesg.txt", "dmesg"),
          entry("ulimit.txt", "bash", "-c", "ulimit -a"),
          entry("df-shm.txt", "df", "-k", "/dev/shm"),
          entry("lscpu.txt", "lscpu"),
          entry("numactl.txt", "numactl", "--hardware"),
          entry("nvcc.txt", "nvcc", "--version"),
          entry("pip-list.txt", "python3", "-m", "pip", "list", "--disable-pip-version-check"),
          entry("conda-list.txt", "conda", "list"));

  private final SystemFiles files;
  private final Map<String, String> environment;
  private final CommandRunner commands;
  private final ArrayNode entries;
  private final ObjectNode manifest = Json.object();

  Capture(SystemFiles files, Map<String, String> environment, CommandRunner commands) {
    this.files = files;
    this.environment = environment;
    this.commands = commands;
    manifest.put("format", "duoka-capture");
    manifest.put("version", 1);
    manifest.put("created", Instant.now().toString());
    manifest.put(
        "left_out",
        "serial numbers, variables that look like secrets, lines of the kernel log about other"
            + " things");
    entries = manifest.putArray("entries");
  }

  /**
   * Captures this machine.
   *
   * @param folder a new or empty folder
   * @return the commands that gave no output, each with the reason
   */
  public static List<String> write(Path folder) {
    return new Capture(
            new SystemFiles(Path.of("/")), System.getenv(), CommandRunner.ofThisMachine())
        .to(folder);
  }

  List<String> to(Path folder) {
    try {
      if (Files.isDirectory(folder)) {
        try (var list = Files.list(folder)) {
          if (list.findAny().isPresent()) {
            throw new DuokaException(
                ErrorCode.USAGE,
                "the folder " + folder + " is not empty",
                "Name a new one; captures of two machines must not mix");
          }
        }
      }
      Files.createDirectories(folder);
      List<String> missing = new ArrayList<>();
      for (Entry entry : ENTRIES) {
        run(folder, entry).ifPresent(missing::add);
      }
      String variables =
          EnvironmentFilter.filter(environment).entrySet().stream()
              .filter(variable -> !variable.getKey().equals("HOME"))
              .map(variable -> variable.getKey() + "=" + variable.getValue() + "\n")
              .collect(Collectors.joining());
      Files.writeString(folder.resolve("environment.txt"), variables);
      SnapshotDraft facts = new SnapshotDraft();
      new SoftwareScan(files, environment, facts, true).read();
      Files.writeString(folder.resolve(SoftwareFile.NAME), SoftwareFile.write(facts));
      copies(folder.resolve(ROOT));
      CrashSafeFiles.write(
          folder.resolve(MANIFEST), Json.pretty(manifest).getBytes(StandardCharsets.UTF_8));
      return missing;
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot write the capture " + folder + ": " + IoReason.of(e),
          "Name a writable folder",
          e);
    }
  }

  private Optional<String> run(Path folder, Entry entry) throws IOException {
    long start = System.nanoTime();
    CommandRunner.Result result = commands.run(entry.command(), TIMEOUT);
    String output = entry.file().equals("dmesg.txt") ? kernelLines(result) : result.output();
    boolean saved = result.succeeded() && !output.isBlank();
    ObjectNode node = entries.addObject();
    node.put("command", String.join(" ", entry.command()));
    node.put("exit_code", result.exitCode());
    node.put("milliseconds", (System.nanoTime() - start) / 1_000_000);
    if (saved) {
      node.put("file", entry.file());
      Files.writeString(
          folder.resolve(entry.file()), SERIAL.matcher(output).replaceAll("$1(not captured)"));
      return Optional.empty();
    }
    String note = FieldText.shorten(result.succeeded() ? "it printed nothing" : result.output());
    node.put("note", note);
    return Optional.of(String.join(" ", entry.command()) + ": " + note);
  }

  /** A first line keeps the file recognisable when no other is left. */
  private static String kernelLines(CommandRunner.Result dmesg) {
    return dmesg.succeeded()
        ? "[    0.000000] kernel log, lines about GPUs, PCIe and memory\n"
            + dmesg
                .output()
                .lines()
                .filter(line -> KERNEL_LINE.matcher(line).matches())
                .limit(20_000)
                .collect(Collectors.joining("\n"))
            + "\n"
        : "";
  }

  private void copies(Path root) throws IOException {
    List<String> names = new ArrayList<>(HostProbe.FILES);
    for (String address : files.names(PciProbe.FOLDER)) {
      String at = PciProbe.FOLDER + "/" + address + "/";
      Optional<String> type = files.line(at + "class");
      Optional<String> vendor = files.line(at + "vendor");
      if (type.isPresent()
          && vendor.isPresent()
          && PciProbe.kind(type.get(), vendor.get()) != PciDevice.Kind.OTHER) {
        PciProbe.FILES.forEach(file -> names.add(at + file));
      }
    }
    for (String name : names) {
      Optional<byte[]> bytes = files.bytes(name);
      if (bytes.isPresent()) {
        Path copy = root.resolve(name);
        Files.createDirectories(copy.getParent());
        Files.write(copy, bytes.get());
      }
    }
  }

  private static Entry entry(String file, String... command) {
    return new Entry(file, List.of(command));
  }
}
