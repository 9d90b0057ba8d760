package dev.duoka.machine.probe;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads {@code nvidia-smi -q}: a tree, of which the path of each value is looked up. Names that
 * changed between driver versions stand beside each other in the table.
 */
final class SmiQueryReader {
  private static final Pattern GPU =
      Pattern.compile("GPU ([0-9A-Fa-f]{4,16}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\\.[0-9A-Fa-f])");
  private static final Pattern VALUE = Pattern.compile("(\\s*)(\\S.*?)\\s+:(?:\\s(.*))?");
  private static final Pattern VERSION = Pattern.compile("(\\d+(?:\\.\\d+)+).*", Pattern.DOTALL);

  private static final Map<String, GpuField> PATHS = paths();

  private final SnapshotDraft facts;
  private final String source;
  private final List<GpuDraft> drafts = new ArrayList<>();
  private final SmiOutline outline;
  private Optional<GpuDraft> gpu = Optional.empty();
  private Map<String, Long> sums = new HashMap<>();
  private List<Gpu.GpuProcess> processes = new ArrayList<>();
  private Map<String, String> process = new HashMap<>();
  private boolean processesShown;
  private int attached = -1;

  private SmiQueryReader(SnapshotDraft facts, String source, boolean indented) {
    this.facts = facts;
    this.source = source;
    outline = new SmiOutline(!indented, PATHS.keySet());
  }

  static void read(String text, SnapshotDraft facts, String source) {
    SmiQueryReader reader = new SmiQueryReader(facts, source, isIndented(text));
    text.lines().forEach(reader::line);
    reader.finish();
  }

  /** Whether the lines below a card's are indented differently, as the tool prints them. */
  private static boolean isIndented(String text) {
    return text.lines()
            .dropWhile(line -> !GPU.matcher(line.strip()).matches())
            .filter(line -> !line.isBlank() && !GPU.matcher(line.strip()).matches())
            .map(SmiQueryReader::indent)
            .distinct()
            .limit(2)
            .count()
        > 1;
  }

  private static int indent(String line) {
    String spaced = line.replace("\t", "    ");
    return spaced.length() - spaced.stripLeading().length();
  }

  private void line(String raw) {
    String line = raw.stripTrailing().replace("\t", "    ");
    if (line.isBlank()) {
      return;
    }
    Matcher start = GPU.matcher(line.strip());
    if (start.matches()) {
      endGpu();
      GpuDraft draft = new GpuDraft();
      draft.put(GpuField.BUS_ID, start.group(1));
      gpu = Optional.of(draft);
      drafts.add(draft);
      outline.clear();
      return;
    }
    Matcher value = VALUE.matcher(line);
    int indent = indent(line);
    outline.line(indent);
    if (value.matches()) {
      String name = value.group(2).strip();
      String text = Optional.ofNullable(value.group(3)).orElse("").strip();
      value(outline.value(indent, name), name, text);
    } else {
      outline.section(indent, line.strip());
      if (line.strip().equals("Processes")) {
        processesShown = true;
      }
    }
  }

  private void value(String path, String name, String text) {
    if (gpu.isEmpty()) {
      header(name, text);
      return;
    }
    GpuDraft draft = gpu.get();
    if (path.startsWith("MIG Device/")) {
      return; // instances repeat the names of the whole card
    }
    if (path.startsWith("Processes")) {
      process(name, text);
      return;
    }
    GpuField field = PATHS.get(path);
    if (field != null) {
      draft.put(field, text);
    }
    if (path.startsWith("ECC Errors/")) {
      ecc(path, name, text);
    }
  }

  private void header(String name, String text) {
    Matcher version = VERSION.matcher(text);
    if (!version.matches()) {
      return;
    }
    switch (name) {
      case "Driver Version", "KMD Version" ->
          facts.driverVersions.putIfAbsent(version.group(1), source);
      case "CUDA Version", "CUDA UMD Version" ->
          facts.cudaVersions.putIfAbsent(version.group(1), source);
      default -> {}
    }
  }

  /** Sums the counters of one kind: their number and names differ between generations. */
  private void ecc(String path, String name, String text) {
    Optional<Long> count = FieldText.whole(text).optional();
    if (name.equals("SRAM Threshold Exceeded")) {
      gpu.ifPresent(draft -> draft.put(GpuField.ECC_SRAM_THRESHOLD, text));
    }
    if (count.isEmpty()) {
      return;
    }
    boolean old = path.contains("/Single Bit/") || path.contains("/Double Bit/");
    if (old && !name.equals("Total")) {
      return; // the total counts them
    }
    boolean bad = path.contains("/Double Bit/") || name.contains("Uncorrectable");
    boolean good = path.contains("/Single Bit/") || (!bad && name.contains("Correctable"));
    if (path.startsWith("ECC Errors/Volatile/") && (bad || good)) {
      sums.merge(bad ? "uncorrected" : "corrected", count.get(), Long::sum);
    } else if (path.startsWith("ECC Errors/Aggregate/") && bad) {
      sums.merge("ever", count.get(), Long::sum);
    }
  }

  private void process(String name, String text) {
    processesShown = true;
    if (name.equals("Process ID")) {
      endProcess();
    }
    process.put(name, text);
  }

  private void endProcess() {
    FieldText.whole(process.getOrDefault("Process ID", ""))
        .optional()
        .ifPresent(
            pid ->
                processes.add(
                    new Gpu.GpuProcess(
                        pid,
                        FieldText.text(process.getOrDefault("Type", "")),
                        FieldText.text(process.getOrDefault("Name", "")),
                        FieldText.bytes(process.getOrDefault("Used GPU Memory", "")))));
    process = new HashMap<>();
  }

  private void endGpu() {
    gpu.ifPresent(
        draft -> {
          endProcess();
          sums.forEach(
              (name, sum) ->
                  draft.put(
                      switch (name) {
                        case "corrected" -> GpuField.ECC_CORRECTED;
                        case "uncorrected" -> GpuField.ECC_UNCORRECTED;
                        default -> GpuField.ECC_UNCORRECTED_EVER;
                      },
                      sum.toString()));
          if (processesShown) {
            draft.processes(processes);
          }
        });
    sums = new HashMap<>();
    processes = new ArrayList<>();
    process = new HashMap<>();
    processesShown = false;
  }

  private void finish() {
    endGpu();
    attached = drafts.size();
    for (int i = 0; i < attached; i++) {
      GpuDraft draft = drafts.get(i);
      if (attached > 1) {
        draft.put(GpuField.INDEX, Integer.toString(i)); // sections stand in the order of numbers
      }
      facts.gpus.add(draft);
    }
    facts.gpusListed |= attached > 0;
  }

  private static Map<String, GpuField> paths() {
    Map<String, GpuField> paths = new HashMap<>();
    paths.put("Product Name", GpuField.NAME);
    paths.put("GPU UUID", GpuField.UUID);
    paths.put("FB Memory Usage/Total", GpuField.MEMORY_TOTAL);
    paths.put("FB Memory Usage/Used", GpuField.MEMORY_USED);
    paths.put("Utilization/Gpu", GpuField.UTILIZATION);
    paths.put("Utilization/GPU", GpuField.UTILIZATION);
    paths.put("Temperature/GPU Current Temp", GpuField.TEMPERATURE);
    paths.put("Performance State", GpuField.PERFORMANCE_STATE);
    String link = "PCI/GPU Link Info/";
    paths.put(link + "PCIe Generation/Current", GpuField.PCIE_GENERATION);
    paths.put(link + "PCIe Generation/Max", GpuField.PCIE_GENERATION_MAX);
    paths.put(link + "PCIe Generation/Device Max", GpuField.PCIE_GENERATION_DEVICE_MAX);
    paths.put(link + "Link Width/Current", GpuField.PCIE_WIDTH);
    paths.put(link + "Link Width/Max", GpuField.PCIE_WIDTH_MAX);
    paths.put("PCI/Replays Since Reset", GpuField.PCIE_REPLAYS);
    paths.put("PCI/Replays since reset", GpuField.PCIE_REPLAYS);
    for (String mode : List.of("ECC Mode", "Ecc Mode")) {
      paths.put(mode + "/Current", GpuField.ECC);
    }
    paths.put("Remapped Rows/Correctable Error", GpuField.REMAP_CORRECTED);
    paths.put("Remapped Rows/Uncorrectable Error", GpuField.REMAP_UNCORRECTED);
    paths.put("Remapped Rows/Pending", GpuField.REMAP_PENDING);
    paths.put("Remapped Rows/Remapping Failure Occurred", GpuField.REMAP_FAILED);
    paths.put("Retired Pages/Single Bit ECC", GpuField.RETIRED_SINGLE);
    paths.put("Retired Pages/Double Bit ECC", GpuField.RETIRED_DOUBLE);
    paths.put("Retired Pages/Pending Page Blacklist", GpuField.RETIRED_PENDING);
    paths.put("Retired Pages/Pending", GpuField.RETIRED_PENDING);
    for (String power : List.of("GPU Power Readings", "Power Readings")) {
      String ceiling = power + "/GPU Ceiling Power Limit/";
      paths.put(ceiling + "Current Power Limit", GpuField.POWER_LIMIT);
      paths.put(ceiling + "Default Power Limit", GpuField.POWER_DEFAULT);
      paths.put(power + "/Power Draw", GpuField.POWER_DRAW);
      paths.put(power + "/Average Power Draw", GpuField.POWER_DRAW);
      paths.put(power + "/Power Limit", GpuField.POWER_LIMIT);
      paths.put(power + "/Current Power Limit", GpuField.POWER_LIMIT);
      paths.put(power + "/Default Power Limit", GpuField.POWER_DEFAULT);
      paths.put(power + "/Min Power Limit", GpuField.POWER_MIN);
      paths.put(power + "/Max Power Limit", GpuField.POWER_MAX);
    }
    paths.put("Clocks/SM", GpuField.CLOCK_SM);
    paths.put("Clocks/Memory", GpuField.CLOCK_MEMORY);
    paths.put("Max Clocks/SM", GpuField.CLOCK_SM_MAX);
    paths.put("Max Clocks/Memory", GpuField.CLOCK_MEMORY_MAX);
    paths.put("Applications Clocks/Graphics", GpuField.CLOCK_APPLICATION);
    paths.put("Default Applications Clocks/Graphics", GpuField.CLOCK_APPLICATION_DEFAULT);
    for (String reasons : List.of("Clocks Event Reasons", "Clocks Throttle Reasons")) {
      paths.put(reasons + "/Idle", GpuField.THROTTLE_IDLE);
      paths.put(reasons + "/Applications Clocks Setting", GpuField.THROTTLE_APPLICATION_CLOCKS);
      paths.put(reasons + "/SW Power Cap", GpuField.THROTTLE_POWER_CAP);
      paths.put(reasons + "/HW Slowdown", GpuField.THROTTLE_HARDWARE_SLOWDOWN);
      for (String nested : List.of("", "HW Slowdown/")) {
        String at = reasons + "/" + nested;
        paths.put(at + "HW Thermal Slowdown", GpuField.THROTTLE_HARDWARE_THERMAL);
        paths.put(at + "HW Power Brake Slowdown", GpuField.THROTTLE_HARDWARE_POWER_BRAKE);
      }
      paths.put(reasons + "/Sync Boost", GpuField.THROTTLE_SYNC_BOOST);
      paths.put(reasons + "/SW Thermal Slowdown", GpuField.THROTTLE_SOFTWARE_THERMAL);
      paths.put(reasons + "/Display Clock Setting", GpuField.THROTTLE_DISPLAY_CLOCKS);
    }
    paths.put("Persistence Mode", GpuField.PERSISTENCE);
    paths.put("MIG Mode/Current", GpuField.MIG);
    paths.put("Compute Mode", GpuField.COMPUTE_MODE);
    paths.put("GPU Recovery Action", GpuField.RECOVERY_ACTION);
    paths.put("Fabric/State", GpuField.FABRIC);
    return Map.copyOf(paths);
  }
}
