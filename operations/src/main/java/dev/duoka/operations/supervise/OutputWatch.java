package dev.duoka.operations.supervise;

import dev.duoka.base.DuokaException;
import dev.duoka.operations.run.RunRecord;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads what the workers print while they run by the rules of the diagnosis: what these know goes
 * into the record, once, and so onto the run's page. Not thread-safe.
 */
final class OutputWatch {
  private static final long EVERY_NANOS = 5_000_000_000L;

  private final RunRecord record;
  private final int attempt;
  private final List<Worker> workers;
  private final long everyNanos;
  private final Map<Worker, Long> lengths = new HashMap<>();
  private final Set<String> said = new HashSet<>();
  private long lookedAt = System.nanoTime();

  OutputWatch(RunRecord record, Attempt attempt) {
    this(record, attempt.number(), attempt.workers(), EVERY_NANOS);
  }

  OutputWatch(RunRecord record, int attempt, List<Worker> workers, long everyNanos) {
    this.record = record;
    this.attempt = attempt;
    this.workers = workers;
    this.everyNanos = everyNanos;
  }

  /** Looks at what is new, now and then; takes as long as to read a mebibyte a worker at most. */
  void look() {
    long now = System.nanoTime();
    if (now - lookedAt < everyNanos) {
      return;
    }
    lookedAt = now;
    for (Worker worker : workers) {
      long length = worker.folder().standardError().toFile().length();
      if (length != lengths.getOrDefault(worker, 0L)) {
        lengths.put(worker, length);
        diagnose(worker);
      }
    }
  }

  private void diagnose(Worker worker) {
    try {
      WorkerOutput.tailOf(worker.folder())
          .diagnosed()
          .filter(cause -> said.add(worker.folder().number() + cause))
          .ifPresent(
              cause ->
                  record.add(
                      attempt,
                      "finding",
                      "worker "
                          + worker.folder().number()
                          + " has printed: "
                          + cause
                          + "; see "
                          + worker.folder().standardError()));
    } catch (DuokaException e) { // no text: that is said once, and the run goes on
      if (said.add(e.problem())) {
        record.add(attempt, "finding", e.problem());
      }
    }
  }
}
