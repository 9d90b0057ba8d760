package dev.duoka.operations.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.process.ProcessIdentity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The folder of one worker of an attempt: its output, and how it ended.
 *
 * @param path the folder
 * @param number the worker's among those of its machine, from 0
 */
public record WorkerFolder(Path path, int number) {
  private static final String NAME = "worker-";
  private static final String OVERRIDES = "overrides";
  private static final String NOTHING_ELSE = "nothing_else";

  /** Of an attempt's worker. */
  public static WorkerFolder of(Path attempt, int number) {
    return new WorkerFolder(attempt.resolve(NAME + number), number);
  }

  static Optional<WorkerFolder> at(Path path) {
    String name = path.getFileName().toString();
    return name.matches(NAME + "\\d{1,6}")
        ? Optional.of(new WorkerFolder(path, Integer.parseInt(name.substring(NAME.length()))))
        : Optional.empty();
  }

  /** What it prints of its result. */
  public Path standardOutput() {
    return path.resolve("stdout.log");
  }

  /** What it prints of everything else. */
  public Path standardError() {
    return path.resolve("stderr.log");
  }

  /** The error that ended it, as it says itself. */
  public Path failureFile() {
    return path.resolve("failure.json");
  }

  /** What it has changed of the run by itself, as it goes on. */
  public Path remedyFile() {
    return path.resolve("remedy.json");
  }

  /** The number that the shim writes before the worker's program begins. */
  public OptionalInt pid() {
    return number("pid");
  }

  /** The exit status that the shim has written; empty while there is none. */
  public OptionalInt exitStatus() {
    return number("exit");
  }

  /** Which process it is, as its supervisor has noted. */
  public Optional<ProcessIdentity> identity() {
    return SupervisionFolder.read(path.resolve("process.json")).map(ProcessIdentity::of);
  }

  /** Notes which process it is. */
  public void note(ProcessIdentity identity) {
    SupervisionFolder.write(path.resolve("process.json"), identity.json());
  }

  /**
   * What ended a worker.
   *
   * @param code the kind of error
   * @param message for people
   * @param overrides of its run file with which a new start is to help; empty where it knows none
   * @param nothingElse whether it knows that nothing else helps
   */
  public record Failure(
      ErrorCode code, String message, List<String> overrides, boolean nothingElse) {
    public Failure {
      overrides = List.copyOf(overrides);
    }

    /** Of a worker that does not know what helps. */
    public Failure(ErrorCode code, String message) {
      this(code, message, List.of(), false);
    }
  }

  /**
   * What a worker has changed of the run, and goes on with.
   *
   * @param overrides of its run file that begin with that
   * @param text what happened, for people
   */
  public record Change(List<String> overrides, String text) {
    public Change {
      overrides = List.copyOf(overrides);
    }
  }

  /** As the other method, of a worker that does not know what helps. */
  public static void fail(Path file, DuokaException failure) {
    fail(file, failure, List.of(), false);
  }

  /**
   * A worker says what ended it. A disk that is full costs the explanation alone.
   *
   * @param file as its supervisor has named it
   * @param overrides of its run file with which a new start is to help
   * @param nothingElse whether nothing else helps
   */
  public static void fail(
      Path file, DuokaException failure, List<String> overrides, boolean nothingElse) {
    say(
        file,
        json -> {
          json.put("code", failure.code().name());
          json.put("message", String.valueOf(failure.getMessage()));
          overrides.forEach(json.putArray(OVERRIDES)::add);
          json.put(NOTHING_ELSE, nothingElse);
        });
  }

  /**
   * A worker says what it has changed. A disk that is full costs the next start that alone.
   *
   * @param file as its supervisor has named it
   */
  public static void change(Path file, Change change) {
    say(
        file,
        json -> {
          change.overrides().forEach(json.putArray(OVERRIDES)::add);
          json.put("text", change.text());
        });
  }

  private static void say(Path file, Consumer<ObjectNode> content) {
    ObjectNode json = Json.object();
    content.accept(json);
    try {
      SupervisionFolder.write(file, json);
    } catch (DuokaException e) {
      System.err.println("duoka: " + e.getMessage());
    }
  }

  /** What it has changed last; empty for nothing. */
  public Optional<Change> change() {
    return SupervisionFolder.read(remedyFile())
        .map(json -> new Change(overrides(json), json.path("text").asString("")));
  }

  private static List<String> overrides(JsonNode json) {
    List<String> words = new ArrayList<>();
    json.path(OVERRIDES).forEach(word -> words.add(word.asString("")));
    return words;
  }

  /** The error that ended it; empty where it could not say. */
  public Optional<Failure> failure() {
    Optional<JsonNode> json = SupervisionFolder.read(failureFile());
    if (json.isEmpty()) {
      return Optional.empty();
    }
    String code = json.get().path("code").asString("");
    String message = json.get().path("message").asString("");
    for (ErrorCode known : ErrorCode.values()) {
      if (known.name().equals(code)) {
        return Optional.of(
            new Failure(
                known,
                message,
                overrides(json.get()),
                json.get().path(NOTHING_ELSE).asBoolean(false)));
      }
    }
    return Optional.empty();
  }

  private OptionalInt number(String name) {
    try {
      String text = Files.readString(path.resolve(name)).strip();
      return text.matches("\\d{1,9}")
          ? OptionalInt.of(Integer.parseInt(text))
          : OptionalInt.empty();
    } catch (IOException e) {
      return OptionalInt.empty(); // not there yet
    }
  }
}
