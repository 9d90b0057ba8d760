package dev.duoka.operations.process;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Which process is meant, also after its number was given to another one: the number, when it
 * started, and which boot of the machine that was counted from.
 *
 * @param pid its number
 * @param startTicks when it started, in clock ticks since boot
 * @param boot the boot's id
 */
public record ProcessIdentity(long pid, long startTicks, String boot) {
  private static final Path PROC = Path.of("/proc");

  /** Of fields of {@code /proc/PID/stat} after the name: the state, and the start. */
  private static final int STATE = 0;

  private static final int START = 19;

  /** The process that has this number now; empty where there is none. */
  public static Optional<ProcessIdentity> of(long pid) {
    return stat(pid).map(fields -> new ProcessIdentity(pid, start(fields), currentBoot()));
  }

  /** This process. */
  public static ProcessIdentity own() {
    long pid = ProcessHandle.current().pid();
    return of(pid)
        .orElseThrow(
            () ->
                new DuokaException(
                    ErrorCode.IO,
                    "cannot read /proc/" + pid + "/stat of this process",
                    "Runs are watched by /proc: mount it"));
  }

  /** Whether it still runs; one that has ended and was not fetched by its parent does not. */
  public boolean isAlive() {
    return state().filter(state -> state != 'Z' && state != 'X').isPresent();
  }

  /** The scheduler's letter for it, for example {@code T} for stopped; empty when it is gone. */
  public Optional<Character> state() {
    return stat(pid)
        .filter(fields -> start(fields) == startTicks && currentBoot().equals(boot))
        .map(fields -> fields[STATE].charAt(0));
  }

  /** Asks it to end (SIGTERM); nothing happens when it is gone. */
  public void terminate() {
    if (isAlive()) {
      ProcessHandle.of(pid).ifPresent(ProcessHandle::destroy);
    }
  }

  /** Ends it (SIGKILL); nothing happens when it is gone. */
  public void kill() {
    if (isAlive()) {
      ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    }
  }

  /** For files. */
  public ObjectNode json() {
    ObjectNode json = Json.object();
    json.put("pid", pid);
    json.put("start_ticks", startTicks);
    json.put("boot", boot);
    return json;
  }

  /** What {@link #json} has written. */
  public static ProcessIdentity of(JsonNode json) {
    return new ProcessIdentity(
        json.path("pid").asLong(-1),
        json.path("start_ticks").asLong(-1),
        json.path("boot").asString(""));
  }

  private static long start(String... fields) {
    return Long.parseLong(fields[START]);
  }

  private static Optional<String[]> stat(long pid) {
    try {
      String text = Files.readString(PROC.resolve(pid + "/stat"));
      // The name, in parentheses, may hold blanks and parentheses.
      String[] fields = text.substring(text.lastIndexOf(')') + 1).strip().split(" ");
      return fields.length > START ? Optional.of(fields) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty(); // it is gone
    }
  }

  private static String currentBoot() {
    try {
      return Files.readString(PROC.resolve("sys/kernel/random/boot_id")).strip();
    } catch (IOException e) {
      return "";
    }
  }
}
