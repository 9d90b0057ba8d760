package dev.duoka.comm.launch;

import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.RankBody;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** Processes of a run that are threads of this one: all is as with real ones but their death. */
public final class TestProcesses {
  /** Not the program's: of the processes of a test only some have modules that say theirs. */
  static final String VERSION = "test";

  /** Of a machine that builds and tests other things beside this. */
  static final Duration MEETING = Duration.ofSeconds(60);

  private TestProcesses() {}

  /** Runs the ranks of one process. */
  static void run(
      ProcessPlace place,
      RankRange ranks,
      Duration meeting,
      Duration limit,
      RankBody body,
      String version) {
    try (ProcessRanks processes =
        ProcessRanks.join(place, ranks, meeting, limit, new Terms(version, List.of()), "")) {
      processes.run(_ -> ExchangeLedger.NONE, body);
    }
  }

  /** The place of one of several processes of this machine. */
  public static ProcessPlace place(int process, int processes, int port) {
    return new ProcessPlace(
        ProcessPlace.Launcher.DUOKA,
        process,
        processes,
        OptionalInt.empty(),
        Optional.of(InetSocketAddress.createUnresolved("127.0.0.1", port)));
  }

  /**
   * Runs {@code body} on all ranks.
   *
   * @return how each process ended: null, or what it threw
   */
  public static List<@Nullable Throwable> run(
      int processes, int ranksEach, Duration limit, RankBody body) {
    int port = FreePort.any();
    List<@Nullable Throwable> ends = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < processes; i++) {
      int process = i;
      ends.add(null);
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      run(
                          place(process, processes, port),
                          new RankRange(process * ranksEach, ranksEach, processes * ranksEach),
                          MEETING,
                          limit,
                          body,
                          VERSION);
                    } catch (Throwable t) {
                      ends.set(process, t);
                    }
                  }));
    }
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
    return ends;
  }
}
