package dev.duoka.measure.profile;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.formats.json.Json;
import dev.duoka.measure.kernel.DeviceRates;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Writes spans in the Trace Event Format, which ui.perfetto.dev and chrome://tracing open. */
public final class PerfettoTrace {
  private PerfettoTrace() {}

  /**
   * Makes sure that the file can be written later, and creates its folder.
   *
   * @throws DuokaException with {@link ErrorCode#USAGE} if it cannot be
   */
  public static void prepare(Path file) {
    Path folder = file.toAbsolutePath().getParent();
    if (folder == null || Files.isDirectory(file)) {
      throw new DuokaException(
          ErrorCode.USAGE, "the trace " + file + " is a folder", "Name a file.");
    }
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "cannot make the folder of the trace " + file + ": " + IoReason.of(e),
          "Name another file.",
          e);
    }
    if (!Files.isWritable(Files.exists(file) ? file : folder)) {
      throw new DuokaException(
          ErrorCode.USAGE, "the trace " + file + " cannot be written", "Name another file.");
    }
  }

  /** Writes the file; times are the device's, from the first span on. */
  public static void write(Path file, List<StepProfile.Span> spans, DeviceRates rates) {
    ObjectNode root = Json.object();
    ArrayNode events = root.putArray("traceEvents");
    for (StepProfile.Span span : spans) {
      ObjectNode event = events.addObject();
      event.put("name", span.name());
      event.put("cat", span.phase().name().toLowerCase(Locale.ROOT));
      event.put("ph", "X");
      event.put("ts", span.startMs() * 1e3);
      event.put("dur", (span.endMs() - span.startMs()) * 1e3);
      event.put("pid", 0);
      event.put("tid", span.phase().ordinal());
      ObjectNode details = event.putObject("args");
      details.put("floor_us", rates.floor(span.work()) * 1e6);
      details.put("flops", span.work().flops());
      details.put("bytes", span.work().bytes());
    }
    try {
      Files.writeString(file, Json.line(root));
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot write the trace " + file + ": " + e, "Name another file.", e);
    }
  }
}
