package dev.duoka.operations.watch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.operations.process.ProcessIdentity;
import dev.duoka.operations.process.ProcessLoad;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Processes in a terminal. */
final class ProcessLinesTests {
  private static final long SECOND = 1_000_000_000L;

  private static List<ProcessIdentity> processes(int count) {
    return LongStream.rangeClosed(1, count)
        .mapToObj(pid -> new ProcessIdentity(pid, 7, "boot"))
        .toList();
  }

  private static Optional<ProcessLoad> taken(double seconds) {
    return Optional.of(new ProcessLoad((long) (seconds * SECOND), 3L << 30));
  }

  @Test
  void thePartOfTheCpuIsWhatWasTakenSinceTheLastLook() {
    ProcessLines lines = new ProcessLines();
    assertThat(lines.of(processes(1), 0, _ -> taken(40))).containsExactly("process 1  3.00 GiB");
    assertThat(lines.of(processes(1), 2 * SECOND, _ -> taken(43)))
        .containsExactly("process 1  CPU 150 %  3.00 GiB");
    assertThat(lines.of(processes(1), 3 * SECOND, _ -> Optional.empty())).isEmpty();
  }

  @Test
  void manyAreToldAsOne() {
    ProcessLines lines = new ProcessLines();
    lines.of(processes(5), 0, _ -> taken(0));
    assertThat(lines.of(processes(5), SECOND, _ -> taken(0.5)))
        .containsExactly("5 processes  CPU 250 %  15.00 GiB");
  }

  @Test
  void thisProcessTakesMemoryAndTime() {
    ProcessLoad load = ProcessLoad.of(ProcessIdentity.own()).orElseThrow();
    assertThat(load.bytes()).isGreaterThan(10L << 20);
    assertThat(load.cpuNanos()).isGreaterThan(0);
    assertThat(ProcessLoad.of(new ProcessIdentity(1, -1, "another boot"))).isEmpty();
  }
}
