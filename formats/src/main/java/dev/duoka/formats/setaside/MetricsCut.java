package dev.duoka.formats.setaside;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Parts a {@code metrics.jsonl} at a step. A line that cannot be read, cut short by a crash for
 * one, belongs to no step and counts as after it. Bytes stay what they are.
 */
public final class MetricsCut {
  private MetricsCut() {}

  /**
   * Writes the lines after a step into another file, durably; an empty file where there are none.
   *
   * @return how many lines those are
   */
  public static long copyAfter(Path metrics, long step, Path target) throws IOException {
    return filter(metrics, target, line -> line > step);
  }

  /** Keeps the lines up to a step, and those alone; the file is the old one or the new one. */
  public static void keepUpTo(Path metrics, long step) throws IOException {
    if (!Files.exists(metrics)) {
      return;
    }
    Path kept = metrics.resolveSibling(metrics.getFileName() + ".tmp");
    filter(metrics, kept, line -> line <= step);
    CrashSafeFiles.moveIntoPlace(kept, metrics);
  }

  /** The last step that a line of the file is of; empty where there is none. */
  public static OptionalLong lastStep(Path metrics) throws IOException {
    if (!Files.exists(metrics)) {
      return OptionalLong.empty();
    }
    long last = -1;
    try (BufferedReader in = Files.newBufferedReader(metrics, StandardCharsets.ISO_8859_1)) {
      for (@Nullable String line = in.readLine(); line != null; line = in.readLine()) {
        long step = stepOf(line);
        last = step == Long.MAX_VALUE ? last : Math.max(last, step);
      }
    }
    return last < 0 ? OptionalLong.empty() : OptionalLong.of(last);
  }

  private static long filter(Path from, Path to, LongPredicate wanted) throws IOException {
    long count = 0;
    // As Latin-1 any bytes are text, and are written as they were read.
    try (BufferedWriter out = Files.newBufferedWriter(to, StandardCharsets.ISO_8859_1)) {
      if (Files.exists(from)) {
        try (BufferedReader in = Files.newBufferedReader(from, StandardCharsets.ISO_8859_1)) {
          for (@Nullable String line = in.readLine(); line != null; line = in.readLine()) {
            if (wanted.test(stepOf(line))) {
              out.write(line);
              out.write('\n');
              count++;
            }
          }
        }
      }
    }
    CrashSafeFiles.syncFile(to);
    return count;
  }

  private static long stepOf(String line) {
    try {
      return Json.parse(line.getBytes(StandardCharsets.ISO_8859_1), "metrics", ErrorCode.FORMAT)
          .path("step")
          .asLong(Long.MAX_VALUE);
    } catch (DuokaException e) {
      return Long.MAX_VALUE;
    }
  }
}
