package dev.duoka.operations.run;

import dev.duoka.formats.json.Json;
import dev.duoka.operations.process.ProcessIdentity;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/**
 * How a run is.
 *
 * @param folder where it writes
 * @param state what it is about
 * @param supervised whether a supervisor watches it
 * @param attempt how often it was started; 0 for a run that nobody supervises
 * @param progress how far it is
 * @param reason how it ended; empty while it goes on, and of an unsupervised run that is done
 */
public record RunStatus(
    Path folder,
    State state,
    boolean supervised,
    int attempt,
    RunProgress progress,
    String reason) {
  /** What a run that nobody supervises says last in its log. */
  private static final String FAILED = "failed: ";

  private static final String COMPLETE = RunProgress.ENDED + "complete";

  /** What a run is about. */
  public enum State {
    /** Its workers run. */
    RUNNING,
    /** Its supervisor starts workers, or starts them again. */
    STARTING,
    /** It has taken its last step. */
    DONE,
    /** It was told to end before its last step, also by --max-steps, and is saved. */
    STOPPED,
    /** It has failed. */
    FAILED,
    /** Neither its workers nor its supervisor are there, and nobody has written how it ended. */
    LOST;

    /** For example {@code running}. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Looks at a run. */
  public static RunStatus of(RunRegistry.Entry entry) {
    SupervisionFolder folder = entry.supervision();
    RunProgress progress = RunProgress.of(entry.folder());
    if (entry.process().isPresent() || !folder.wasUsed()) {
      return ofUnsupervised(entry, progress);
    }
    boolean supervised = supervisor(folder).filter(ProcessIdentity::isAlive).isPresent();
    int attempt = folder.attempts();
    boolean working =
        folder.workers(attempt).stream()
            .flatMap(worker -> worker.identity().stream())
            .anyMatch(ProcessIdentity::isAlive);
    Optional<RunEnd> end = working ? Optional.empty() : RunEnd.read(folder);
    State state =
        end.map(RunStatus::state)
            .orElse(working ? State.RUNNING : supervised ? State.STARTING : State.LOST);
    return new RunStatus(
        entry.folder(), state, supervised, attempt, progress, end.map(RunEnd::reason).orElse(""));
  }

  /** Which process supervises a run, or did. */
  public static Optional<ProcessIdentity> supervisor(SupervisionFolder folder) {
    return SupervisionFolder.read(folder.supervisor()).map(ProcessIdentity::of);
  }

  /** Notes which process supervises a run. */
  public static void noteSupervisor(SupervisionFolder folder, ProcessIdentity supervisor) {
    SupervisionFolder.write(folder.supervisor(), supervisor.json());
  }

  /** Whether it goes on, as far as this machine can tell. */
  public boolean isActive() {
    return state == State.RUNNING || state == State.STARTING;
  }

  private static RunStatus ofUnsupervised(RunRegistry.Entry entry, RunProgress progress) {
    boolean alive = entry.process().filter(ProcessIdentity::isAlive).isPresent();
    if (alive) {
      return new RunStatus(entry.folder(), State.RUNNING, false, 0, progress, "");
    }
    String word = RunProgress.lastWord(entry.folder());
    Optional<String> stopped = RunProgress.stopped(entry.folder());
    String reason = word.startsWith(FAILED) ? word.substring(FAILED.length()) : stopped.orElse("");
    boolean done = progress.totalSteps() > 0 && progress.step() >= progress.totalSteps();
    State state =
        word.startsWith(FAILED)
            ? State.FAILED
            : stopped.isPresent()
                ? State.STOPPED
                : done || word.startsWith(COMPLETE) ? State.DONE : State.LOST;
    return new RunStatus(entry.folder(), state, false, 0, progress, reason);
  }

  private static State state(RunEnd end) {
    if (end.stopped()) {
      return State.STOPPED;
    }
    return end.status() == ExitStatus.DONE ? State.DONE : State.FAILED;
  }

  /** For programs. */
  public ObjectNode json() {
    ObjectNode json = Json.object();
    json.put("name", String.valueOf(folder.getFileName()));
    json.put("folder", folder.toString());
    json.put("state", state.toString());
    json.put("supervised", supervised);
    json.put("attempt", attempt);
    json.put("step", progress.step());
    json.put("total_steps", progress.totalSteps());
    Json.putNumber(json, "loss", progress.loss());
    Json.putNumber(json, "tokens_per_second", progress.tokensPerSecond());
    progress
        .checkpoint()
        .ifPresentOrElse(
            step -> json.put("last_checkpoint", step), () -> json.putNull("last_checkpoint"));
    json.put("reason", reason);
    return json;
  }
}
