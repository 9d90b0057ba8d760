package dev.duoka.operations.run;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The folder {@code supervision}, or {@code supervision-1} and so on, in a run's folder: what the
 * supervisor of the run writes, and the output and exit statuses of its workers, a folder for each
 * attempt.
 *
 * @param run the run's folder, absolute; machines of a run may share it
 * @param node the machine's number; each has a supervisor of its own
 */
public record SupervisionFolder(Path run, int node) {
  private static final String NAME = "supervision";
  private static final String ATTEMPT = "attempt-";

  public SupervisionFolder {
    run = run.toAbsolutePath().normalize();
  }

  /** Of a run on one machine, or of its first one. */
  public SupervisionFolder(Path run) {
    this(run, 0);
  }

  /** The folder itself. */
  public Path path() {
    return run.resolve(node == 0 ? NAME : NAME + "-" + node);
  }

  /** What the run was started with. */
  public Path launch() {
    return path().resolve("launch.json");
  }

  /** Whether a supervisor was ever asked to start the run. */
  public boolean wasUsed() {
    return Files.exists(launch()) || attempts() > 0;
  }

  /** Held by the one process that supervises the run. */
  public Path lock() {
    return path().resolve("supervisor.lock");
  }

  /** Which process supervises the run. */
  public Path supervisor() {
    return path().resolve("supervisor.json");
  }

  /** What the supervisor itself prints, which is errors only. */
  public Path supervisorOutput() {
    return path().resolve("supervisor.log");
  }

  /** What the supervisor has seen and done. */
  public Path record() {
    return path().resolve("record.jsonl");
  }

  /** Which remedies are in use. */
  public Path remedies() {
    return path().resolve("remedies.json");
  }

  /** How the run ended; not there while it goes on. */
  public Path end() {
    return path().resolve("end.json");
  }

  /** The folder of an attempt, counted from 1. */
  public Path attempt(int number) {
    return path().resolve(ATTEMPT + number);
  }

  /** The number of the newest attempt; 0 when there was none. */
  public int attempts() {
    if (!Files.isDirectory(path())) {
      return 0;
    }
    try (Stream<Path> entries = Files.list(path())) {
      return entries
          .map(entry -> entry.getFileName().toString())
          .filter(name -> name.matches(ATTEMPT + "\\d{1,9}"))
          .mapToInt(name -> Integer.parseInt(name.substring(ATTEMPT.length())))
          .max()
          .orElse(0);
    } catch (IOException e) {
      throw cannotRead(path(), e);
    }
  }

  /** The folders of the workers of an attempt, in their order. */
  public List<WorkerFolder> workers(int attempt) {
    Path folder = attempt(attempt);
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .flatMap(entry -> WorkerFolder.at(entry).stream())
          .sorted(Comparator.comparingInt(WorkerFolder::number))
          .toList();
    } catch (IOException e) {
      throw cannotRead(folder, e);
    }
  }

  /** Reads a small file of ours; empty where it is not there. */
  static Optional<JsonNode> read(Path file) {
    return Files.exists(file) ? Optional.of(Json.parse(file, ErrorCode.FORMAT)) : Optional.empty();
  }

  /** Writes a small file of ours, whole or not at all. */
  static void write(Path file, ObjectNode content) {
    try {
      CrashSafeFiles.publish(file, Json.pretty(content).getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new DuokaException(
          IoReason.isFull(e) ? ErrorCode.NO_SPACE : ErrorCode.IO,
          "cannot write " + file + ": " + IoReason.of(e),
          "Check the disk",
          e);
    }
  }

  private static DuokaException cannotRead(Path folder, IOException e) {
    return new DuokaException(
        ErrorCode.IO, "cannot read " + folder + ": " + IoReason.of(e), "Check the disk", e);
  }
}
