package dev.duoka.machine.probe;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Reads {@code nvidia-smi --query-gpu=… --format=csv} by the names in its first line. */
final class SmiCsvReader {
  private static final Map<String, GpuField> COLUMNS = columns();

  private SmiCsvReader() {}

  /** Whether a line is the head of such a table. */
  static boolean isHead(String line) {
    List<String> names = names(line);
    return names.size() >= 2
        && names.stream()
                .filter(name -> COLUMNS.containsKey(name) || name.equals("driver_version"))
                .count()
            >= 2;
  }

  static void read(String text, SnapshotDraft facts, String source) {
    List<String> names = List.of();
    for (String line : text.lines().toList()) {
      if (isHead(line)) {
        names = names(line);
      } else if (!names.isEmpty() && !line.isBlank()) {
        row(names, line, facts, source);
      }
    }
  }

  private static void row(List<String> names, String line, SnapshotDraft facts, String source) {
    List<String> cells = List.of(line.split(",", -1));
    if (cells.size() != names.size()) {
      facts.notes.add(
          source
              + ": a line with "
              + cells.size()
              + " values under "
              + names.size()
              + " names was left out: "
              + FieldText.shorten(line));
      return;
    }
    GpuDraft draft = new GpuDraft();
    for (int i = 0; i < cells.size(); i++) {
      String cell = cells.get(i).strip();
      GpuField field = COLUMNS.get(names.get(i));
      if (field != null) {
        draft.put(field, cell);
      } else if (names.get(i).equals("driver_version") && cell.matches("\\d+(\\.\\d+)+")) {
        facts.driverVersions.putIfAbsent(cell, source);
      }
    }
    facts.gpus.add(draft);
    facts.gpusListed = true;
  }

  private static List<String> names(String line) {
    return List.of(line.split(",", -1)).stream()
        .map(name -> name.replaceFirst("\\[.*", "").strip().toLowerCase(Locale.ROOT))
        .toList();
  }

  private static Map<String, GpuField> columns() {
    Map<String, GpuField> columns = new HashMap<>();
    columns.put("index", GpuField.INDEX);
    columns.put("name", GpuField.NAME);
    columns.put("gpu_name", GpuField.NAME);
    columns.put("uuid", GpuField.UUID);
    columns.put("gpu_uuid", GpuField.UUID);
    columns.put("pci.bus_id", GpuField.BUS_ID);
    columns.put("gpu_bus_id", GpuField.BUS_ID);
    columns.put("compute_cap", GpuField.CAPABILITY);
    columns.put("memory.total", GpuField.MEMORY_TOTAL);
    columns.put("memory.used", GpuField.MEMORY_USED);
    columns.put("utilization.gpu", GpuField.UTILIZATION);
    columns.put("temperature.gpu", GpuField.TEMPERATURE);
    columns.put("pstate", GpuField.PERFORMANCE_STATE);
    columns.put("pcie.link.gen.current", GpuField.PCIE_GENERATION);
    columns.put("pcie.link.gen.gpucurrent", GpuField.PCIE_GENERATION);
    columns.put("pcie.link.gen.max", GpuField.PCIE_GENERATION_MAX);
    columns.put("pcie.link.gen.gpumax", GpuField.PCIE_GENERATION_DEVICE_MAX);
    columns.put("pcie.link.width.current", GpuField.PCIE_WIDTH);
    columns.put("pcie.link.width.max", GpuField.PCIE_WIDTH_MAX);
    columns.put("ecc.mode.current", GpuField.ECC);
    columns.put("ecc.errors.corrected.volatile.total", GpuField.ECC_CORRECTED);
    columns.put("ecc.errors.uncorrected.volatile.total", GpuField.ECC_UNCORRECTED);
    columns.put("ecc.errors.uncorrected.aggregate.total", GpuField.ECC_UNCORRECTED_EVER);
    columns.put(
        "ecc.errors.uncorrected.aggregate.sram.thresholdexceeded", GpuField.ECC_SRAM_THRESHOLD);
    columns.put("remapped_rows.correctable", GpuField.REMAP_CORRECTED);
    columns.put("remapped_rows.uncorrectable", GpuField.REMAP_UNCORRECTED);
    columns.put("remapped_rows.pending", GpuField.REMAP_PENDING);
    columns.put("remapped_rows.failure", GpuField.REMAP_FAILED);
    columns.put("retired_pages.single_bit_ecc.count", GpuField.RETIRED_SINGLE);
    columns.put("retired_pages.double_bit.count", GpuField.RETIRED_DOUBLE);
    columns.put("retired_pages.pending", GpuField.RETIRED_PENDING);
    columns.put("power.draw", GpuField.POWER_DRAW);
    columns.put("power.draw.average", GpuField.POWER_DRAW);
    columns.put("enforced.power.limit", GpuField.POWER_LIMIT);
    columns.put("power.limit", GpuField.POWER_LIMIT);
    columns.put("power.default_limit", GpuField.POWER_DEFAULT);
    columns.put("power.min_limit", GpuField.POWER_MIN);
    columns.put("power.max_limit", GpuField.POWER_MAX);
    for (String prefix : List.of("clocks.", "clocks.current.")) {
      columns.put(prefix + "sm", GpuField.CLOCK_SM);
      columns.put(prefix + "mem", GpuField.CLOCK_MEMORY);
      columns.put(prefix + "memory", GpuField.CLOCK_MEMORY);
    }
    columns.put("clocks.max.sm", GpuField.CLOCK_SM_MAX);
    columns.put("clocks.max.mem", GpuField.CLOCK_MEMORY_MAX);
    columns.put("clocks.max.memory", GpuField.CLOCK_MEMORY_MAX);
    columns.put("clocks.applications.gr", GpuField.CLOCK_APPLICATION);
    columns.put("clocks.applications.graphics", GpuField.CLOCK_APPLICATION);
    columns.put("clocks.default_applications.gr", GpuField.CLOCK_APPLICATION_DEFAULT);
    columns.put("clocks.default_applications.graphics", GpuField.CLOCK_APPLICATION_DEFAULT);
    for (String prefix : List.of("clocks_event_reasons.", "clocks_throttle_reasons.")) {
      columns.put(prefix + "active", GpuField.THROTTLE_MASK);
      columns.put(prefix + "gpu_idle", GpuField.THROTTLE_IDLE);
      columns.put(prefix + "applications_clocks_setting", GpuField.THROTTLE_APPLICATION_CLOCKS);
      columns.put(prefix + "sw_power_cap", GpuField.THROTTLE_POWER_CAP);
      columns.put(prefix + "hw_slowdown", GpuField.THROTTLE_HARDWARE_SLOWDOWN);
      columns.put(prefix + "hw_thermal_slowdown", GpuField.THROTTLE_HARDWARE_THERMAL);
      columns.put(prefix + "hw_power_brake_slowdown", GpuField.THROTTLE_HARDWARE_POWER_BRAKE);
      columns.put(prefix + "sw_thermal_slowdown", GpuField.THROTTLE_SOFTWARE_THERMAL);
      columns.put(prefix + "sync_boost", GpuField.THROTTLE_SYNC_BOOST);
    }
    columns.put("persistence_mode", GpuField.PERSISTENCE);
    columns.put("mig.mode.current", GpuField.MIG);
    columns.put("compute_mode", GpuField.COMPUTE_MODE);
    columns.put("gpu_recovery_action", GpuField.RECOVERY_ACTION);
    columns.put("fabric.state", GpuField.FABRIC);
    return Map.copyOf(columns);
  }
}
