package dev.duoka.measure.profile;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.comm.ExchangeSpan;
import dev.duoka.engine.autograd.FunctionObserver;
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

  /**
   * Writes the file; times are the devices', from the first mark on. Each rank is a process with a
   * row for each phase, one for when it did nothing but exchange, and one for each group whose
   * exchange ran beside.
   *
   * @param rates of the ranks' devices
   */
  static void write(Path file, List<RankTrace> ranks, DeviceRates rates) {
    ObjectNode root = Json.object();
    ArrayNode events = root.putArray("traceEvents");
    for (int rank = 0; rank < ranks.size(); rank++) {
      RankTrace trace = ranks.get(rank);
      named(events, "process_name", rank, 0, trace.name());
      for (FunctionObserver.Phase phase : FunctionObserver.Phase.values()) {
        named(events, "thread_name", rank, phase.ordinal(), label(phase));
      }
      for (StepProfile.Span span : trace.parts()) {
        part(events, rank, span, rates);
      }
      int row = FunctionObserver.Phase.values().length;
      if (!trace.alone().isEmpty()) {
        named(events, "thread_name", rank, row, "only exchanging");
        for (ExchangeSpan span : trace.alone()) {
          exchange(events, rank, row, span);
        }
        row++;
      }
      for (String group : groups(trace.beside())) {
        named(events, "thread_name", rank, row, "exchange of " + group);
        for (ExchangeSpan span : trace.beside()) {
          if (span.group().equals(group)) {
            exchange(events, rank, row, span);
          }
        }
        row++;
      }
    }
    try {
      Files.writeString(file, Json.line(root));
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot write the trace " + file + ": " + e, "Name another file.", e);
    }
  }

  private static List<String> groups(List<ExchangeSpan> spans) {
    return spans.stream().map(ExchangeSpan::group).distinct().sorted().toList();
  }

  private static String label(FunctionObserver.Phase phase) {
    return phase.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private static void part(ArrayNode events, int rank, StepProfile.Span span, DeviceRates rates) {
    ObjectNode event =
        span(events, rank, span.phase().ordinal(), span.name(), span.startMs(), span.endMs());
    event.put("cat", span.phase().name().toLowerCase(Locale.ROOT));
    ObjectNode details = event.putObject("args");
    details.put("floor_us", rates.floor(span.work()) * 1e6);
    details.put("flops", span.work().flops());
    details.put("bytes", span.work().bytes());
  }

  private static void exchange(ArrayNode events, int rank, int row, ExchangeSpan span) {
    span(events, rank, row, span.group(), span.startMs(), span.endMs()).put("cat", "exchange");
  }

  private static ObjectNode span(
      ArrayNode events, int rank, int row, String name, double startMs, double endMs) {
    ObjectNode event = events.addObject();
    event.put("name", name);
    event.put("ph", "X");
    event.put("ts", startMs * 1e3);
    event.put("dur", (endMs - startMs) * 1e3);
    event.put("pid", rank);
    event.put("tid", row);
    return event;
  }

  /** The name of a row or of all of a rank's. */
  private static void named(ArrayNode events, String what, int rank, int row, String name) {
    ObjectNode event = events.addObject();
    event.put("name", what);
    event.put("ph", "M");
    event.put("pid", rank);
    event.put("tid", row);
    event.putObject("args").put("name", name);
  }
}
