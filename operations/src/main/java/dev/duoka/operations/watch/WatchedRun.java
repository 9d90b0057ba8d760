package dev.duoka.operations.watch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.prediction.PredictionFile;
import dev.duoka.operations.process.ProcessIdentity;
import dev.duoka.operations.run.RunRecord;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.RunStatus;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.operations.run.SupervisionFolder;
import dev.duoka.operations.run.WorkerFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import tools.jackson.databind.node.ObjectNode;

/**
 * A run that is looked at, going on or over, by what is in its folder. Nothing there is changed,
 * and nothing outside of it is read. Safe for several threads.
 */
public final class WatchedRun {
  private static final int LOG_BYTES = 32 << 10;
  private static final int PREDICTION_BYTES = 4 << 20;
  private static final int MOST_ENTRIES = 100;

  private final RunRegistry.Entry entry;
  private final RunFiles files;
  private final MetricsHistory history;
  private volatile RunView view;
  private volatile String metricsProblem = "";
  private volatile long lastAsked = System.nanoTime();
  private final AtomicLong changes = new AtomicLong();

  /**
   * Of a run that was found; nothing is read yet.
   *
   * @param state where what is read of long runs is kept
   * @throws DuokaException when there is no such folder
   */
  public WatchedRun(RunRegistry.Entry entry, StateFolder state) {
    this(entry, Optional.of(columns(state).resolve(entry.id() + ".columns")));
  }

  WatchedRun(RunRegistry.Entry entry, Optional<Path> cache) {
    this.entry = entry;
    this.files = new RunFiles(entry.folder());
    this.history = new MetricsHistory(files, cache);
    this.view = RunView.nothing(RedactedText.line(entry.name()));
  }

  private static Path columns(StateFolder state) {
    return StateFolder.own(AddressFile.folder(state).resolve("columns"));
  }

  /** Reads all that is there and not yet read. Blocks as long as the disk takes. */
  public void readAll() {
    while (readOn()) {
      // There is more.
    }
    look();
  }

  /** What was read of it, for programs: its state, the last value of each measure, its record. */
  public ObjectNode overview() {
    return new RunJson(this).overview();
  }

  /** Reads all that is not yet read, or as much as this time is enough for. */
  void readFor(long nanos) {
    long until = System.nanoTime() + nanos;
    while (readOn() && System.nanoTime() - until < 0) {
      // There is more, and time.
    }
  }

  /** Reads the next MiB of the metrics; true when there may be more. */
  boolean readOn() {
    try {
      long before = history.reading().bytes();
      boolean more = history.readOn();
      metricsProblem = "";
      if (history.reading().bytes() != before) {
        changes.incrementAndGet();
      }
      return more;
    } catch (DuokaException e) {
      metricsProblem = RedactedText.line(e.problem());
      return false;
    }
  }

  /** Somebody asks for it. */
  void ask() {
    lastAsked = System.nanoTime();
  }

  /** How long nobody has asked for it, in nanoseconds. */
  long unaskedNanos() {
    return System.nanoTime() - lastAsked;
  }

  /** How often it was seen to have changed. */
  long changes() {
    return changes.get();
  }

  /** What its configuration says, by the names of its fields. */
  Map<String, String> config() {
    return RunFields.of(files);
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
              state(entry, status),
              status.attempt(),
              status.progress().totalSteps(),
              RedactedText.line(reason(status, state(entry, status))),
              record.subList(Math.max(0, record.size() - MOST_ENTRIES), record.size()).stream()
                  .map(WatchedRun::shown)
                  .toList(),
              "",
              List.of(),
              Optional.empty(),
              List.of(),
              Json.object(),
              "",
              List.of(),
              List.of());
    } catch (DuokaException e) {
      problems.add(RedactedText.line(e.problem()));
    } catch (DateTimeException e) {
      problems.add("the supervisor's record is damaged: " + RedactedText.line(e.toString()));
    }
    if (!metricsProblem.isEmpty() && !problems.contains(metricsProblem)) {
      problems.add(metricsProblem);
    }
    RunNotes notes = notes(problems);
    RunView before = view;
    view =
        new RunView(
            next.name(),
            next.state(),
            next.attempt(),
            next.totalSteps(),
            next.reason(),
            next.record(),
            log,
            answers(problems),
            prediction(problems),
            files.checkpoints(),
            placement(problems),
            notes.shown(),
            notes.tags(),
            List.copyOf(problems));
    if (!view.equals(before)) {
      changes.incrementAndGet();
    }
  }

  /** Its processes on this machine, as long as it goes on. */
  List<ProcessIdentity> processes() {
    if (!view.state().equals("running")) {
      return List.of();
    }
    if (entry.process().isPresent()) {
      return List.of(entry.process().get());
    }
    try {
      SupervisionFolder folder = entry.supervision();
      files.refuseOthersUnder(folder.path());
      return folder.workers(folder.attempts()).stream()
          .flatMap(worker -> worker.identity().stream())
          .toList();
    } catch (DuokaException e) {
      return List.of(); // look() says what is wrong
    }
  }

  /** Why a run has ended; one that was killed has said nothing. */
  private static String reason(RunStatus status, String state) {
    return status.reason().isEmpty() && state.equals("lost")
        ? "its process is gone and has not said why: it was killed, by somebody or by the system"
            + " for its memory (dmesg tells)"
        : status.reason();
  }

  /** A run that is in no list may go on where nobody here can see it. */
  static String state(RunRegistry.Entry entry, RunStatus status) {
    boolean listed = entry.process().isPresent() || entry.supervision().wasUsed();
    return status.state() == RunStatus.State.LOST && !listed
        ? "unknown"
        : status.state().toString();
  }

  /**
   * The prediction of the session that began last; it does not change, but a later one may come.
   */
  private Optional<PredictionFile> prediction(List<String> problems) {
    try (Stream<Path> entries = Files.list(files.folder())) {
      Optional<Path> newest =
          entries
              .filter(file -> PredictionFile.stepsBefore(file).isPresent())
              .max(Comparator.comparing(file -> PredictionFile.stepsBefore(file).orElse(0L)));
      return newest.isEmpty()
          ? Optional.empty()
          : Optional.of(
              PredictionFile.parse(
                  files.bytes(newest.get(), PREDICTION_BYTES), newest.get().toString()));
    } catch (DuokaException e) {
      problems.add(RedactedText.line(e.problem()));
    } catch (IOException e) {
      problems.add(RedactedText.line(RunFiles.cannotRead(files.folder(), e).problem()));
    }
    return Optional.empty();
  }

  private List<RunAnswer> answers(List<String> problems) {
    try {
      return RunAnswer.of(files);
    } catch (DuokaException e) {
      problems.add(RedactedText.line(e.problem()));
      return List.of();
    }
  }

  private RunNotes notes(List<String> problems) {
    try {
      return RunNotes.of(files);
    } catch (DuokaException e) {
      problems.add(RedactedText.line(e.problem()));
      return new RunNotes("");
    }
  }

  private ObjectNode placement(List<String> problems) {
    Path file = files.folder().resolve("placement.json");
    try {
      byte[] content = files.bytes(file, PREDICTION_BYTES);
      return content.length > 0
              && Json.parse(content, file.toString(), ErrorCode.FORMAT) instanceof ObjectNode json
          ? RedactedJson.of(json)
          : Json.object();
    } catch (DuokaException e) {
      problems.add(RedactedText.line(e.problem()));
      return Json.object();
    }
  }

  private String log(List<String> problems) {
    StringBuilder log = new StringBuilder();
    try {
      log.append(RedactedText.of(files.tail(files.folder().resolve("run.log"), LOG_BYTES)));
      SupervisionFolder folder = entry.supervision();
      if (files.isOwnFolder(folder.path())) {
        Path worker = WorkerFolder.of(folder.attempt(Math.max(1, folder.attempts())), 0).path();
        if (files.isOwnFolder(worker)) {
          String error = files.tail(worker.resolve("stderr.log"), LOG_BYTES);
          log.append(error.isEmpty() ? "" : "--- stderr.log ---\n" + RedactedText.of(error));
        }
      }
    } catch (DuokaException e) {
      problems.add(RedactedText.line(e.problem()));
    }
    return log.toString();
  }

  /** Nothing is left to the readers below that would wait for ever, or is not this run's. */
  private void refuseOthers() {
    files.real(files.folder().resolve("metrics.jsonl"));
    files.real(files.folder().resolve("run.log"));
    files.real(files.folder().resolve("rank-0.heartbeat"));
    files.refuseOthersUnder(entry.supervision().path());
  }

  private static RunRecord.Entry shown(RunRecord.Entry entry) {
    return new RunRecord.Entry(
        entry.time(),
        entry.attempt(),
        RedactedText.line(entry.event()),
        RedactedText.line(entry.text()));
  }
}
