package dev.duoka.comm.peer;

import dev.duoka.comm.Communicator;
import dev.duoka.ffi.cuda.HostMemory;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Lets go of what a rank's streams wait for when the exchange has ended for good, so that no host
 * waits for a stream that waits for a lost rank. A watcher looks every 50 ms, and lets go again for
 * as long as the rank lives: another rank that does not know yet may write an old number.
 */
final class Release implements AutoCloseable {
  private static final long WATCH_MILLISECONDS = 50;

  private final Communicator hosts;
  private final List<Boards> all = new CopyOnWriteArrayList<>();
  private final Thread watcher;

  Release(Communicator hosts) {
    this.hosts = hosts;
    watcher = Thread.ofPlatform().daemon().name("peer-watch-" + hosts.rank()).start(this::watch);
  }

  void add(Boards boards) {
    all.add(boards);
  }

  void remove(Boards boards) {
    synchronized (all) {
      all.remove(boards);
    }
  }

  private void watch() {
    try {
      while (true) {
        Thread.sleep(WATCH_MILLISECONDS);
        if (hosts.failure() != null) {
          now();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // closed: nothing is left to watch
    }
  }

  /** Lets go at once. */
  void now() {
    synchronized (all) {
      for (Boards boards : all) {
        try (HostMemory scratch = boards.newScratch()) {
          boards.release(scratch);
        }
      }
    }
  }

  @Override
  public void close() {
    watcher.interrupt();
  }
}
