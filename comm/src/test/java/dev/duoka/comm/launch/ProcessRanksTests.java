package dev.duoka.comm.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.ExchangeLedger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What processes do together before their ranks run. */
@Timeout(60)
class ProcessRanksTests {
  private static final int PROCESSES = 3;

  /** Shorter than what one of them takes to prepare. */
  private static final Duration LIMIT = Duration.ofSeconds(1);

  private final int port = FreePort.any();

  private List<@Nullable Throwable> run(Consumer<ProcessRanks> body) throws InterruptedException {
    List<@Nullable Throwable> ends = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < PROCESSES; i++) {
      int process = i;
      ends.add(null);
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try (ProcessRanks joined =
                        ProcessRanks.join(
                            TestProcesses.place(process, PROCESSES, port),
                            new RankRange(process, 1, PROCESSES),
                            TestProcesses.MEETING,
                            LIMIT,
                            Terms.of(""),
                            "from " + process)) {
                      body.accept(joined);
                    } catch (RuntimeException e) {
                      ends.set(process, e);
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    return ends;
  }

  @Test
  void theyWaitForOneThatPreparesForLongerThanTheLimit() throws InterruptedException {
    Map<Integer, String> said = new ConcurrentHashMap<>();
    List<@Nullable Throwable> ends =
        run(
            processes -> {
              int process = processes.place().process();
              String prepared =
                  processes.during(
                      () -> {
                        if (process == 1) {
                          sleep(LIMIT.multipliedBy(3));
                        }
                        return processes.word() + ", " + processes.neighbours();
                      });
              processes.run(
                  _ -> ExchangeLedger.NONE,
                  world -> {
                    world.agreement().barrier();
                    said.put(world.rank(), prepared);
                  });
            });
    assertThat(ends).containsOnlyNulls();
    assertThat(said)
        .isEqualTo(
            Map.of(
                0, "from 0, Neighbours[index=0, count=3]",
                1, "from 0, Neighbours[index=1, count=3]",
                2, "from 0, Neighbours[index=2, count=3]"));
  }

  @Test
  void whatOneCannotPrepareEndsAllWithItsMessage() throws InterruptedException {
    List<@Nullable Throwable> ends =
        run(
            processes ->
                processes.during(
                    () -> {
                      if (processes.place().process() == 1) {
                        throw new DuokaException(ErrorCode.IO, "the disk is on fire", "Run");
                      }
                      return processes;
                    }));
    assertThat(ends.get(1)).hasMessage("the disk is on fire. Run");
    for (int other : new int[] {0, 2}) {
      assertThat(ends.get(other))
          .isInstanceOfSatisfying(
              DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.RANK_LOST))
          .hasMessageContaining("rank 1 failed (the disk is on fire. Run)");
    }
  }

  private static void sleep(Duration duration) {
    try {
      Thread.sleep(duration);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
