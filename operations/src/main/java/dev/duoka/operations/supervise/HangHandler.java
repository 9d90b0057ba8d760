package dev.duoka.operations.supervise;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.IoReason;
import dev.duoka.operations.hang.HangExplanation;
import dev.duoka.operations.hang.HangLimits;
import dev.duoka.operations.hang.HangWatch;
import dev.duoka.operations.notify.Notifier;
import dev.duoka.operations.process.ProcessIdentity;
import dev.duoka.operations.run.LaunchSpec;
import dev.duoka.operations.run.RunExpectation;
import dev.duoka.operations.run.RunRecord;
import dev.duoka.operations.run.SupervisionFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** What is done about ranks that hang: it is said, written down, and in the end given up. */
final class HangHandler {
  /** How often it is looked what may be expected of the run. */
  private static final long EXPECT_NANOS = 10_000_000_000L;

  private final SupervisionFolder folder;
  private final RunRecord record;
  private final Attempt attempt;
  private final HangWatch watch;
  private final Notifier notifier;
  private final LaunchSpec launch;
  private long expectedAt;
  private int found;

  HangHandler(
      SupervisionFolder folder,
      LaunchSpec launch,
      RunRecord record,
      Attempt attempt,
      Notifier notifier) {
    this.folder = folder;
    this.record = record;
    this.attempt = attempt;
    this.notifier = notifier;
    this.launch = launch;
    int ranks = launch.ranks() / launch.place().nodes();
    this.expectedAt = System.nanoTime();
    this.watch =
        new HangWatch(
            folder.run(),
            launch.place().node() * ranks,
            ranks,
            limits(),
            began(record, attempt.number()));
  }

  /** Whether the attempt is to be given up, and why. */
  Optional<String> look() {
    List<ProcessIdentity> processes = attempt.alive();
    long now = System.nanoTime();
    if (now - expectedAt > EXPECT_NANOS) {
      expectedAt = now;
      watch.expect(limits());
    }
    return switch (watch.look(processes, now)) {
      case FINE, STILL -> Optional.empty();
      case HANGS -> {
        notifier.send("hang", explain(processes, "hang"));
        yield Optional.empty();
      }
      case MOVES -> {
        record.add(attempt.number(), "moves", "a rank that was late has moved again");
        yield Optional.empty();
      }
      case LASTS -> Optional.of("the run hangs: " + explain(processes, "hang-lasts"));
    };
  }

  private HangLimits limits() {
    return new HangLimits(
        launch.hangSeconds(), launch.warmupHangSeconds(), RunExpectation.of(folder.run()));
  }

  private String explain(List<ProcessIdentity> processes, String event) {
    HangExplanation explanation = watch.explain(processes, System.nanoTime());
    String message = explanation.message() + printed();
    found++;
    Path file = folder.attempt(attempt.number()).resolve("hang-" + found + ".txt");
    try {
      CrashSafeFiles.publish(
          file, (message + "\n\n" + explanation.evidence()).getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      record.add(attempt.number(), "not-written", "cannot write " + file + ": " + IoReason.of(e));
    }
    record.add(attempt.number(), event, message + "\nall of it: " + file);
    return message;
  }

  /** What the workers have printed lately and the diagnosis knows, a line for each that has. */
  private String printed() {
    StringBuilder text = new StringBuilder();
    for (Worker worker : attempt.workers()) {
      try {
        WorkerOutput.tailOf(worker.folder())
            .diagnosed()
            .ifPresent(
                cause ->
                    text.append("\nworker ")
                        .append(worker.folder().number())
                        .append(" has printed: ")
                        .append(cause));
      } catch (DuokaException e) { // its output is no text: the hang is explained without it
        text.append('\n').append(e.problem());
      }
    }
    return text.toString();
  }

  /** When the attempt began, in nanoseconds since 1970; 0 where that was not written down. */
  private static long began(RunRecord record, int attempt) {
    return record.entries().stream()
        .filter(entry -> entry.attempt() == attempt && entry.event().equals("started"))
        .mapToLong(entry -> entry.time().getEpochSecond() * 1_000_000_000L)
        .max()
        .orElse(0);
  }
}
