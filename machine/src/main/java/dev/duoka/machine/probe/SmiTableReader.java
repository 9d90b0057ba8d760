package dev.duoka.machine.probe;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the table that {@code nvidia-smi} prints without options. */
final class SmiTableReader {
  private static final Pattern DRIVER =
      Pattern.compile("(?:Driver|KMD) Version: *(\\d+(?:\\.\\d+)+)");
  private static final Pattern CUDA = Pattern.compile("CUDA (?:UMD )?Version: *(\\d+\\.\\d+)");
  private static final Pattern FIRST =
      Pattern.compile(
          "\\|\\s*(\\d{1,4})\\s+(\\S.*?)\\s+(On|Off|N/A|WDDM|TCC|MCDM)\\s*\\|\\s*"
              + "([0-9A-Fa-f]{4,16}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\\.[0-9A-Fa-f])\\s+\\S+\\s*\\|"
              + "\\s*(\\S+)\\s*\\|\\s*");
  private static final Pattern SECOND =
      Pattern.compile(
          "\\|\\s*\\S+\\s+(\\S+)\\s+(P\\d+|N/A|ERR!)\\s+(\\S+)\\s*/\\s*(\\S+)\\s*\\|\\s*(\\S+)"
              + "\\s*/\\s*(\\S+)\\s*\\|\\s*(\\S+)\\s+(\\S.*?)\\s*\\|\\s*");
  private static final Pattern MIG =
      Pattern.compile("\\|\\s*\\|\\s*\\|\\s*(Enabled\\*?|Disabled\\*?|N/A)\\s*\\|\\s*");
  private static final Pattern PROCESS =
      Pattern.compile(
          "\\|\\s+(\\d{1,4})\\s+(?:\\S+\\s+\\S+\\s+)?(\\d+)\\s+([CGM+]+)\\s+(.*?)\\s+(\\S+)\\s*\\|\\s*");

  private SmiTableReader() {}

  static void read(String text, SnapshotDraft facts, String source) {
    Matcher driver = DRIVER.matcher(text);
    if (driver.find()) {
      facts.driverVersions.putIfAbsent(driver.group(1), source);
    }
    Matcher cuda = CUDA.matcher(text);
    if (cuda.find()) {
      facts.cudaVersions.putIfAbsent(cuda.group(1), source);
    }
    List<GpuDraft> drafts = new ArrayList<>();
    Map<String, List<Gpu.GpuProcess>> processes = new HashMap<>();
    boolean processTable = false;
    Optional<GpuDraft> gpu = Optional.empty();
    for (String line : text.lines().toList()) {
      processTable |= line.contains("Processes:");
      Matcher first = FIRST.matcher(line);
      Matcher second = SECOND.matcher(line);
      Matcher process = PROCESS.matcher(line);
      Matcher mig = MIG.matcher(line);
      if (processTable) {
        if (process.matches()) {
          processes
              .computeIfAbsent(process.group(1), _ -> new ArrayList<>())
              .add(
                  new Gpu.GpuProcess(
                      FieldText.whole(process.group(2)).optional().orElse(0L),
                      FieldText.text(process.group(3)),
                      FieldText.text(process.group(4)),
                      FieldText.bytes(process.group(5))));
        }
      } else if (first.matches()) {
        gpu = Optional.of(first(first));
        drafts.add(gpu.get());
      } else if (second.matches() && gpu.isPresent()) {
        second(second, gpu.get());
      } else if (mig.matches() && gpu.isPresent()) {
        gpu.get().put(GpuField.MIG, mig.group(1).replace("*", ""));
      }
    }
    for (GpuDraft draft : drafts) {
      if (processTable) {
        draft.processes(processes.getOrDefault(draft.text(GpuField.INDEX).orElse(""), List.of()));
      }
      facts.gpus.add(draft);
    }
    facts.gpusListed |= !drafts.isEmpty() || text.contains("No devices were found");
  }

  private static GpuDraft first(Matcher row) {
    GpuDraft draft = new GpuDraft();
    draft.put(GpuField.INDEX, row.group(1));
    if (!row.group(2).endsWith("...")) {
      draft.put(GpuField.NAME, row.group(2)); // a name that was cut names nothing for certain
    }
    draft.put(GpuField.PERSISTENCE, row.group(3));
    draft.put(GpuField.BUS_ID, row.group(4));
    if (row.group(5).matches("\\d+")) {
      draft.put(GpuField.ECC, "Enabled");
      draft.put(GpuField.ECC_UNCORRECTED, row.group(5));
    } else if (row.group(5).equals("Off")) {
      draft.put(GpuField.ECC, "Disabled");
    }
    return draft;
  }

  private static void second(Matcher row, GpuDraft draft) {
    draft.put(GpuField.TEMPERATURE, row.group(1));
    draft.put(GpuField.PERFORMANCE_STATE, row.group(2));
    draft.put(GpuField.POWER_DRAW, row.group(3));
    draft.put(GpuField.POWER_LIMIT, row.group(4));
    draft.put(GpuField.MEMORY_USED, row.group(5));
    draft.put(GpuField.MEMORY_TOTAL, row.group(6));
    draft.put(GpuField.UTILIZATION, row.group(7));
    draft.put(
        GpuField.COMPUTE_MODE,
        switch (row.group(8)) {
          case "E. Process" -> "Exclusive_Process";
          case "E. Thread" -> "Exclusive_Thread";
          default -> row.group(8);
        });
  }
}
