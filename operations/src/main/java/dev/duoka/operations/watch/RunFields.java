package dev.duoka.operations.watch;

import dev.duoka.base.DuokaException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The fields of a run's {@code run.yaml} as text, to be shown beside those of another run.
 * Variables of the environment are shown where their names are known to hold no secret; whom to
 * notify is not shown.
 */
final class RunFields {
  private static final int MOST_BYTES = 1 << 20;

  /** A line as the program writes them: two blanks a level, a name, and a value or none. */
  private static final Pattern LINE = Pattern.compile("( *)(- |[A-Za-z0-9_.-]+:)\\s*(.*)");

  private static final List<String> SHOWN_VARIABLES =
      List.of("NCCL_", "CUDA_", "OMP_", "OPENBLAS_", "MKL_", "TORCH_", "KMP_");

  private RunFields() {}

  /** Field by field; nothing where there is no file, or it cannot be read. */
  static Map<String, String> of(RunFiles files) {
    String text;
    try {
      text =
          new String(
              files.bytes(files.folder().resolve("run.yaml"), MOST_BYTES), StandardCharsets.UTF_8);
    } catch (DuokaException e) {
      return Map.of();
    }
    Map<String, String> fields = new LinkedHashMap<>();
    Deque<String> path = new ArrayDeque<>();
    Deque<Integer> depths = new ArrayDeque<>();
    for (String line : text.lines().toList()) {
      Matcher parts = LINE.matcher(line);
      if (!parts.matches()) {
        continue;
      }
      int depth = parts.group(1).length();
      boolean item = parts.group(2).equals("- ");
      while (!depths.isEmpty() && (depths.peek() > depth || (depths.peek() == depth && !item))) {
        depths.pop();
        path.pop();
      }
      if (item) {
        put(fields, String.join(".", path.reversed()), parts.group(3));
        continue;
      }
      path.push(parts.group(2).substring(0, parts.group(2).length() - 1));
      depths.push(depth);
      if (!parts.group(3).isEmpty()) {
        put(fields, String.join(".", path.reversed()), parts.group(3));
      }
    }
    return fields;
  }

  private static void put(Map<String, String> fields, String name, String value) {
    boolean hidden =
        name.startsWith("notify")
            || (name.startsWith("environment.")
                && SHOWN_VARIABLES.stream()
                    .noneMatch(name.substring("environment.".length())::startsWith));
    if (!hidden) {
      fields.merge(
          RedactedText.line(name),
          RedactedText.line(value),
          (before, more) -> before + ", " + more);
    }
  }
}
