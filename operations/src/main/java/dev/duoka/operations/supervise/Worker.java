package dev.duoka.operations.supervise;

import dev.duoka.operations.process.ProcessIdentity;
import dev.duoka.operations.run.WorkerFolder;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A process of a run, by what is in its folder: it is the same whether this supervisor has started
 * it or an earlier one. One thread.
 */
final class Worker {
  /** Of a worker that is gone and has left no exit status. */
  static final int STATUS_UNKNOWN = -1;

  private static final long NANOS = 1_000_000_000L;

  /** How long the shell may take to write down what the worker's end was. */
  private static final long SHIM_NANOS = 3 * NANOS;

  private final WorkerFolder folder;
  private final @Nullable Process shim;
  private @Nullable ProcessIdentity identity;
  private long goneSince;

  private Worker(WorkerFolder folder, @Nullable Process shim) {
    this.folder = folder;
    this.shim = shim;
    this.identity = folder.identity().orElse(null);
  }

  /** One that was just started. */
  static Worker started(WorkerFolder folder, Process shim) {
    return new Worker(folder, shim);
  }

  /** One that an earlier supervisor has started. */
  static Worker adopted(WorkerFolder folder) {
    return new Worker(folder, null);
  }

  /** Where it writes. */
  WorkerFolder folder() {
    return folder;
  }

  /** Which process it is; empty as long as it has not begun. */
  Optional<ProcessIdentity> identity() {
    if (identity == null) {
      OptionalInt pid = folder.pid();
      if (pid.isPresent()) {
        ProcessIdentity.of(pid.getAsInt())
            .ifPresent(
                found -> {
                  identity = found;
                  folder.note(found);
                });
      }
    }
    return Optional.ofNullable(identity);
  }

  /** Its exit status, {@link #STATUS_UNKNOWN} when nobody knows it; empty while it runs. */
  OptionalInt ended() {
    OptionalInt status = folder.exitStatus();
    if (status.isPresent()) {
      return status;
    }
    boolean shimIsThere = shim != null && shim.isAlive();
    if (identity().filter(ProcessIdentity::isAlive).isPresent()
        || (identity == null && shimIsThere)) {
      goneSince = 0;
      return OptionalInt.empty();
    }
    if (goneSince == 0) {
      goneSince = System.nanoTime();
    }
    return System.nanoTime() - goneSince < SHIM_NANOS
        ? OptionalInt.empty()
        : OptionalInt.of(STATUS_UNKNOWN);
  }
}
