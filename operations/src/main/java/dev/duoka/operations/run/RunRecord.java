package dev.duoka.operations.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a supervisor has seen and done, a line of JSON each, in the order of time. A disk that is
 * full costs lines, never the run.
 */
public final class RunRecord {
  private final Path file;

  /** The record of a run, which goes on where it is. */
  public RunRecord(SupervisionFolder folder) {
    this.file = folder.record();
  }

  /**
   * One thing that was seen or done.
   *
   * @param event its kind, for example {@code restart}
   * @param text for people
   */
  public record Entry(Instant time, int attempt, String event, String text) {
    /** For programs. */
    public ObjectNode json() {
      ObjectNode json = Json.object();
      json.put("time", time.toString());
      json.put("attempt", attempt);
      json.put("event", event);
      json.put("text", text);
      return json;
    }
  }

  /** Notes something now. */
  public void add(int attempt, String event, String text) {
    Entry entry = new Entry(Instant.now().truncatedTo(ChronoUnit.MILLIS), attempt, event, text);
    try {
      Files.writeString(
          file,
          Json.line(entry.json()) + "\n",
          StandardCharsets.UTF_8,
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      System.err.println("cannot write " + file + ": " + IoReason.of(e) + ": " + text);
    }
  }

  /** All that was noted; a line that was cut short by a crash is left out. */
  public List<Entry> entries() {
    List<Entry> entries = new ArrayList<>();
    if (!Files.exists(file)) {
      return entries;
    }
    try {
      for (String line : Files.readAllLines(file)) {
        entry(line, entries);
      }
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read " + file + ": " + IoReason.of(e), "Check the disk", e);
    }
    return entries;
  }

  private void entry(String line, List<Entry> entries) {
    try {
      var json =
          Json.parse(line.getBytes(StandardCharsets.UTF_8), file.toString(), ErrorCode.FORMAT);
      entries.add(
          new Entry(
              Instant.parse(json.path("time").asString("1970-01-01T00:00:00Z")),
              json.path("attempt").asInt(0),
              json.path("event").asString(""),
              json.path("text").asString("")));
    } catch (DuokaException e) {
      // Cut short.
    }
  }
}
