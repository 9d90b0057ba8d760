package dev.duoka.machine.probe;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads {@code nvidia-smi -L} and {@code nvidia-smi nvlink -s}, which list GPUs the same way. */
final class SmiListReader {
  static final Pattern GPU =
      Pattern.compile("\\s*GPU (\\d{1,4}): (.+?) \\(UUID: ((?:GPU-)?[0-9A-Za-z-]+)\\)\\s*");
  static final Pattern LINK = Pattern.compile("\\s*Link (\\d{1,2}): (.*)");
  static final Pattern MIG =
      Pattern.compile("\\s*MIG (\\S+)\\s+Device\\s+(\\d+): \\(UUID: (\\S+)\\)\\s*");
  private static final Pattern NO_LINKS =
      Pattern.compile(
          "(?i).*(not have or support nvlink|nvlink (queries are )?not supported"
              + "|links are inactive|unable to retrieve nvlink).*");

  private SmiListReader() {}

  static void read(String text, SnapshotDraft facts) {
    Optional<GpuDraft> gpu = Optional.empty();
    int links = 0;
    int active = 0;
    for (String line : text.lines().toList()) {
      Matcher start = GPU.matcher(line);
      Matcher link = LINK.matcher(line);
      if (start.matches()) {
        end(gpu, links, active, facts);
        links = 0;
        active = 0;
        GpuDraft draft = new GpuDraft();
        draft.put(GpuField.INDEX, Integer.toString(Integer.parseInt(start.group(1))));
        draft.put(GpuField.NAME, start.group(2));
        draft.put(GpuField.UUID, start.group(3));
        gpu = Optional.of(draft);
      } else if (link.matches() && gpu.isPresent()) {
        links++;
        active += link.group(2).toLowerCase(java.util.Locale.ROOT).contains("inactive") ? 0 : 1;
      } else if (MIG.matcher(line).matches() && gpu.isPresent()) {
        gpu.get().put(GpuField.MIG, "Enabled");
      } else if (gpu.isPresent() && NO_LINKS.matcher(line).matches()) {
        noLinks(gpu.get(), line.strip());
      }
    }
    end(gpu, links, active, facts);
  }

  private static void noLinks(GpuDraft gpu, String line) {
    String lower = line.toLowerCase(java.util.Locale.ROOT);
    if (lower.contains("mig mode")) {
      gpu.put(GpuField.MIG, "Enabled");
    } else if (lower.contains("inactive")) {
      gpu.put(GpuField.NVLINKS_ACTIVE, "0");
    } else {
      gpu.put(GpuField.NVLINKS, "0");
      gpu.put(GpuField.NVLINKS_ACTIVE, "0");
    }
  }

  private static void end(Optional<GpuDraft> gpu, int links, int active, SnapshotDraft facts) {
    gpu.ifPresent(
        draft -> {
          if (links > 0) {
            draft.put(GpuField.NVLINKS, Integer.toString(links));
            draft.put(GpuField.NVLINKS_ACTIVE, Integer.toString(active));
          }
          facts.gpus.add(draft);
          facts.gpusListed = true;
        });
  }
}
