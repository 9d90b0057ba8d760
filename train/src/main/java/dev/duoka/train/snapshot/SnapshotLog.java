package dev.duoka.train.snapshot;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code snapshots/starts.jsonl} of a run: each start and each rollback in order, a line of JSON
 * each. Lines are only ever added; one that a crash cut short is left out.
 */
final class SnapshotLog {
  private final Path file;

  SnapshotLog(Path file) {
    this.file = file;
  }

  /** What happened. */
  sealed interface Entry {
    /** Its line. */
    ObjectNode json();
  }

  /**
   * A run was started.
   *
   * @param number of the start, from 1
   * @param afterStep the step that the run had taken last
   * @param hash of its snapshot
   */
  record Start(int number, Instant time, long afterStep, String hash) implements Entry {
    @Override
    public ObjectNode json() {
      ObjectNode json = Json.object();
      json.put("start", number);
      json.put("time", time.toString());
      json.put("after_step", afterStep);
      json.put("hash", hash);
      return json;
    }
  }

  /**
   * It became known by which algorithms a start computes products.
   *
   * @param start the number of the start
   * @param hash of the document that names them
   */
  record Products(int start, String hash) implements Entry {
    @Override
    public ObjectNode json() {
      ObjectNode json = Json.object();
      json.put("products", hash);
      json.put("of_start", start);
      return json;
    }
  }

  /**
   * The run went back.
   *
   * @param step to the checkpoint of this step
   * @param setAside the folder that holds what was undone, within the run's
   */
  record WentBack(Instant time, long step, String setAside) implements Entry {
    @Override
    public ObjectNode json() {
      ObjectNode json = Json.object();
      json.put("rollback_to_step", step);
      json.put("time", time.toString());
      json.put("set_aside", setAside);
      return json;
    }
  }

  /** All entries in order. */
  List<Entry> entries() {
    List<Entry> entries = new ArrayList<>();
    if (!Files.exists(file)) {
      return entries;
    }
    try {
      for (String line : Files.readAllLines(file, StandardCharsets.ISO_8859_1)) {
        read(line).ifPresent(entries::add);
      }
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read " + file + ": " + IoReason.of(e), "Check the disk", e);
    }
    return entries;
  }

  private Optional<Entry> read(String line) {
    try {
      JsonNode json =
          Json.parse(line.getBytes(StandardCharsets.ISO_8859_1), file.toString(), ErrorCode.FORMAT);
      if (json.has("start")) {
        return Optional.of(
            new Start(
                json.path("start").asInt(0),
                time(json),
                json.path("after_step").asLong(0),
                json.path("hash").asString("")));
      }
      if (json.has("products")) {
        return Optional.of(
            new Products(json.path("of_start").asInt(0), json.path("products").asString("")));
      }
      return json.has("rollback_to_step")
          ? Optional.of(
              new WentBack(
                  time(json),
                  json.path("rollback_to_step").asLong(0),
                  json.path("set_aside").asString("")))
          : Optional.empty();
    } catch (DuokaException | DateTimeException e) {
      return Optional.empty(); // cut short
    }
  }

  private static Instant time(JsonNode json) {
    return Instant.parse(json.path("time").asString(Instant.EPOCH.toString()));
  }

  /** Adds an entry, durably. */
  void add(Entry entry) throws IOException {
    String line = (endsWithinALine() ? "\n" : "") + Json.line(entry.json()) + "\n";
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
      ByteBuffer bytes = ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      channel.force(true);
    }
  }

  /** Whether a crash has cut the last line short. */
  private boolean endsWithinALine() throws IOException {
    if (!Files.exists(file) || Files.size(file) == 0) {
      return false;
    }
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      in.seek(in.length() - 1);
      return in.read() != '\n';
    }
  }
}
