package dev.duoka.operations.watch;

import dev.duoka.base.DuokaException;
import dev.duoka.operations.run.RunRecord;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.RunStatus;
import dev.duoka.operations.run.SupervisionFolder;
import dev.duoka.operations.run.WorkerFolder;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.util.ArrayList;
import java.util.List;

/**
 * A run that is looked at, going on or over, by what is in its folder. Nothing there is changed,
 * and nothing outside of it is read. Safe for several threads.
 */
public final class WatchedRun {
  private static final int LOG_BYTES = 32 << 10;
  private static final int MOST_ENTRIES = 100;

  private final RunRegistry.Entry entry;
  private final RunFiles files;
  private final MetricsHistory history;
  private volatile RunView view;
  private volatile String metricsProblem = "";

  /**
   * Of a run that was found; nothing is read yet.
   *
   * @throws DuokaException when there is no such folder
   */
  public WatchedRun(RunRegistry.Entry entry) {
    this.entry = entry;
    this.files = new RunFiles(entry.folder());
    this.history = new MetricsHistory(files);
    this.view = RunView.nothing(VisibleText.line(entry.name()));
  }

  /** Reads all that is there and not yet read. Blocks as long as the disk takes. */
  public void readAll() {
    while (readOn()) {
      // There is more.
    }
    look();
  }

  /** Reads the next MiB of the metrics; true when there may be more. */
  boolean readOn() {
    try {
      boolean more = history.readOn();
      metricsProblem = "";
      return more;
    } catch (DuokaException e) {
      metricsProblem = VisibleText.line(e.problem());
      return false;
    }
  }

  /** The measures. */
  MetricsHistory history() {
    return history;
  }

  /** What was seen last. */
  RunView view() {
    return view;
  }

  /** Looks at all but the metrics again. */
  void look() {
    List<String> problems = new ArrayList<>();
    String log = log(problems);
    RunView next = RunView.nothing(view.name());
    try {
      refuseOthers();
      RunStatus status = RunStatus.of(entry);
      List<RunRecord.Entry> record = new RunRecord(entry.supervision()).entries();
      next =
          new RunView(
              view.name(),
              state(status),
              status.attempt(),
              status.progress().totalSteps(),
              VisibleText.line(status.reason()),
              record.subList(Math.max(0, record.size() - MOST_ENTRIES), record.size()).stream()
                  .map(WatchedRun::shown)
                  .toList(),
              "",
              List.of());
    } catch (DuokaException e) {
      problems.add(VisibleText.line(e.problem()));
    } catch (DateTimeException e) {
      problems.add("the supervisor's record is damaged: " + VisibleText.line(e.toString()));
    }
    if (!metricsProblem.isEmpty() && !problems.contains(metricsProblem)) {
      problems.add(metricsProblem);
    }
    view =
        new RunView(
            next.name(),
            next.state(),
            next.attempt(),
            next.totalSteps(),
            next.reason(),
            next.record(),
            log,
            List.copyOf(problems));
  }

  /** A run that is in no list may go on where nobody here can see it. */
  private String state(RunStatus status) {
    boolean listed = entry.process().isPresent() || entry.supervision().wasUsed();
    return status.state() == RunStatus.State.LOST && !listed
        ? "unknown"
        : status.state().toString();
  }

  private String log(List<String> problems) {
    StringBuilder log = new StringBuilder();
    try {
      log.append(VisibleText.of(files.tail(files.folder().resolve("run.log"), LOG_BYTES)));
      SupervisionFolder folder = entry.supervision();
      if (files.isOwnFolder(folder.path())) {
        Path worker = WorkerFolder.of(folder.attempt(Math.max(1, folder.attempts())), 0).path();
        if (files.isOwnFolder(worker)) {
          String error = files.tail(worker.resolve("stderr.log"), LOG_BYTES);
          log.append(error.isEmpty() ? "" : "--- stderr.log ---\n" + VisibleText.of(error));
        }
      }
    } catch (DuokaException e) {
      problems.add(VisibleText.line(e.problem()));
    }
    return log.toString();
  }

  /** Nothing is left to the readers below that would wait for ever, or is not this run's. */
  private void refuseOthers() {
    files.real(files.folder().resolve("metrics.jsonl"));
    files.real(files.folder().resolve("rank-0.heartbeat"));
    files.refuseOthersUnder(entry.supervision().path());
  }

  private static RunRecord.Entry shown(RunRecord.Entry entry) {
    return new RunRecord.Entry(
        entry.time(),
        entry.attempt(),
        VisibleText.line(entry.event()),
        VisibleText.line(entry.text()));
  }
}
