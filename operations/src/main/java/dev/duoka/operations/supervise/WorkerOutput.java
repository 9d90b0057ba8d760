package dev.duoka.operations.supervise;

import dev.duoka.diagnosis.log.LogSource;
import dev.duoka.diagnosis.rule.RuleBook;
import dev.duoka.diagnosis.scan.LogScan;
import dev.duoka.diagnosis.verdict.Diagnosis;
import dev.duoka.operations.run.WorkerFolder;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a worker has printed of errors and warnings.
 *
 * @param file it may not be there yet
 * @param from the first byte that counts
 */
record WorkerOutput(Path file, long from) {
  /** A worker that hangs has said lately why, if at all; reading more would hold the watch up. */
  private static final long TAIL = 1 << 20;

  /** All of it. */
  static WorkerOutput of(WorkerFolder worker) {
    return new WorkerOutput(worker.standardError(), 0);
  }

  /** The last mebibyte, for a worker that goes on printing. */
  static WorkerOutput tailOf(WorkerFolder worker) {
    Path file = worker.standardError();
    return new WorkerOutput(file, Math.max(0, file.toFile().length() - TAIL));
  }

  /** What the rules of the diagnosis say of it; empty where they know nothing. */
  Optional<String> diagnosed() {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    LogScan oneWorker = new LogScan(RuleBook.standard(), 1); // blocks are few in a small heap
    return Diagnosis.of(oneWorker.scan(List.of(new LogSource(file.toString(), this::open))))
        .findings()
        .stream()
        .findFirst()
        .map(finding -> finding.what() + " (" + finding.fix().lines().findFirst().orElse("") + ")");
  }

  private InputStream open() throws IOException {
    SeekableByteChannel channel = Files.newByteChannel(file);
    return Channels.newInputStream(channel.position(from));
  }
}
