package dev.duoka.machine.probe;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Tells apart the outputs of several commands in one text, by the prompts between them. */
final class PastedOutputs {
  private static final Pattern PROMPT =
      Pattern.compile(
          "^(?:\\([\\w./-]{1,40}\\) ?)?(?:\\[?[\\w.-]{1,60}@[\\w.-]{1,60}[:"
              + " ][^$#>]{0,120}\\]?)?[$#>%] {0,2}(?:sudo |time |watch"
              + " )?(?:/usr/s?bin/)?(?:nvidia-smi|nvcc|df|free|ls(?:cpu|pci|mod|blk)?"
              + "|dmesg|journalctl|ulimit|cat|numactl|pip3?|conda|env|printenv|uname|python3?|ibstat|lsb_release"
              + "|echo|date|hostname|modinfo|which|dpkg|rpm|systemctl)\\b.*");

  /** What nvidia-smi says instead of, or below, its output. */
  private static final Pattern ERROR =
      Pattern.compile(
          "^\\s*((?:Unable to determine the device handle|Failed to initialize NVML|Failed to"
              + " properly shut down NVML|NVIDIA-SMI has failed|No devices were found|WARNING:"
              + " infoROM is corrupted|GPU is lost|GPU [0-9A-Fa-f:.]+ (?:is lost|has"
              + " fallen)).{0,200})");

  private PastedOutputs() {}

  /** The outputs in their order, without the prompts; the whole text where it has none. */
  static List<String> of(String text) {
    List<String> outputs = new ArrayList<>();
    StringBuilder output = new StringBuilder();
    boolean prompts = false;
    for (String line : text.lines().toList()) {
      if (PROMPT.matcher(line).matches()) {
        prompts = true;
        add(outputs, output);
      } else {
        output.append(line).append('\n');
      }
    }
    if (!prompts) {
      return List.of(text);
    }
    add(outputs, output);
    return outputs;
  }

  private static void add(List<String> outputs, StringBuilder output) {
    if (!output.toString().isBlank()) {
      outputs.add(output.toString());
    }
    output.setLength(0);
  }

  /** The first line in which nvidia-smi names a failure of its own. */
  static Optional<String> error(String text) {
    return text.lines()
        .map(ERROR::matcher)
        .filter(Matcher::find)
        .map(matcher -> matcher.group(1).strip())
        .findFirst();
  }
}
