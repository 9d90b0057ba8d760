package dev.duoka.operations.supervise;

import dev.duoka.base.ErrorCode;
import dev.duoka.operations.process.ProcessIdentity;
import dev.duoka.operations.run.ExitStatus;
import dev.duoka.operations.run.SupervisionFolder;
import dev.duoka.operations.run.WorkerFolder;
import dev.duoka.operations.run.WorkerFolder.Failure;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** The workers that were started together, until all of them have ended. */
final class Attempt {
  private static final int SIGNALLED = 128;

  private final int number;
  private final List<Worker> workers;

  /** Those that were still at work when the attempt was given up. */
  private final Set<Worker> killed = new HashSet<>();

  Attempt(int number, List<Worker> workers) {
    this.number = number;
    this.workers = List.copyOf(workers);
  }

  /** The newest attempt of a run, as an earlier supervisor has left it; empty for none. */
  static Optional<Attempt> adopt(SupervisionFolder folder) {
    int number = folder.attempts();
    List<Worker> workers = folder.workers(number).stream().map(Worker::adopted).toList();
    return workers.isEmpty() ? Optional.empty() : Optional.of(new Attempt(number, workers));
  }

  int number() {
    return number;
  }

  List<Worker> workers() {
    return workers;
  }

  /** The processes that are still there. */
  List<ProcessIdentity> alive() {
    return workers.stream()
        .flatMap(worker -> worker.identity().stream())
        .filter(ProcessIdentity::isAlive)
        .toList();
  }

  /** Kills the processes that are still there. */
  void kill() {
    for (Worker worker : workers) {
      worker
          .identity()
          .filter(ProcessIdentity::isAlive)
          .ifPresent(
              process -> {
                killed.add(worker);
                process.kill();
              });
    }
  }

  /** The numbers of the workers whose processes are still there. */
  List<Integer> workersAlive() {
    return workers.stream()
        .filter(worker -> worker.identity().filter(ProcessIdentity::isAlive).isPresent())
        .map(worker -> worker.folder().number())
        .toList();
  }

  /** What its workers have changed of the run, and go on with. */
  List<WorkerFolder.Change> changes() {
    return workers.stream().flatMap(worker -> worker.folder().change().stream()).toList();
  }

  /** Whether all have ended. */
  boolean hasEnded() {
    return workers.stream().allMatch(worker -> worker.ended().isPresent());
  }

  /** Whether one has failed, so that the others cannot go on. */
  boolean hasFailed() {
    return workers.stream()
        .map(Worker::ended)
        .anyMatch(status -> status.isPresent() && !isOrderly(status.getAsInt()));
  }

  private static boolean isOrderly(int status) {
    return status == ExitStatus.DONE
        || status == ExitStatus.SAVED
        || status == ExitStatus.INTERRUPTED;
  }

  /** How it ended. */
  AttemptEnd end() {
    List<Integer> statuses =
        workers.stream().map(worker -> worker.ended().orElse(Worker.STATUS_UNKNOWN)).toList();
    boolean complete = statuses.stream().allMatch(status -> status == ExitStatus.DONE);
    boolean saved = statuses.stream().allMatch(Attempt::isOrderly);
    if (complete || saved) {
      return new AttemptEnd(
          complete, saved, Optional.empty(), "all workers ended", Optional.empty());
    }
    Optional<Worker> cause = cause();
    Optional<Failure> failure = cause.flatMap(worker -> worker.folder().failure());
    return AttemptEnd.failed(
        failure, cause.map(worker -> text(worker, failure)).orElse("no worker ended"));
  }

  /**
   * A worker that said of itself why it failed goes before one that was killed from outside, this
   * before those that have lost it, and these before those that only stood still and were killed
   * here for it.
   */
  private Optional<Worker> cause() {
    List<Worker> failed = new ArrayList<>();
    for (Worker worker : workers) {
      OptionalInt status = worker.ended();
      if (status.isPresent() && !isOrderly(status.getAsInt())) {
        failed.add(worker);
      }
    }
    return failed.stream()
        .min(
            Comparator.comparing((Worker worker) -> !failedOfItself(worker.folder()))
                .thenComparing(killed::contains)
                .thenComparing(worker -> lost(worker.folder())));
  }

  private static boolean failedOfItself(WorkerFolder folder) {
    return folder.failure().isPresent() && !lost(folder);
  }

  private static boolean lost(WorkerFolder folder) {
    return folder.failure().filter(it -> it.code() == ErrorCode.RANK_LOST).isPresent();
  }

  private static String text(Worker worker, Optional<Failure> failure) {
    int status = worker.ended().orElse(Worker.STATUS_UNKNOWN);
    String who = "worker " + worker.folder().number();
    if (failure.isPresent()) {
      return who + " failed: " + failure.get().message();
    }
    if (status == Worker.STATUS_UNKNOWN) {
      return who + " is gone and has left no exit status";
    }
    String end =
        status > SIGNALLED
            ? who + " was ended by signal " + (status - SIGNALLED)
            : who + " ended with status " + status;
    return end
        + WorkerOutput.of(worker.folder()).diagnosed().map(cause -> ": " + cause).orElse("")
        + "; see "
        + worker.folder().standardError();
  }
}
