package dev.duoka.operations.hang;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.heartbeat.Heartbeat;
import dev.duoka.formats.heartbeat.Phase;
import dev.duoka.operations.process.JavaStacks;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class ProcessViewsTests {
  private static final long PID = 4711;

  private static List<String> frames(int rank, String... threads) {
    ProcessViews views =
        new ProcessViews(
            Set.of(), Map.of(PID, new JavaStacks(String.join("\n", threads))), Map.of());
    Heartbeat heartbeat = new Heartbeat(rank, 2, PID, Phase.LOADING, 0, 10, 1, 0, 0);
    return views.frames(new RankView(heartbeat, 0, List.of())).orElseThrow();
  }

  private static String thread(String name, String frame) {
    return "\"%s\" #30 prio=5 tid=0x1 nid=12 runnable\n   java.lang.Thread.State: RUNNABLE\n\tat %s\n"
        .formatted(name, frame);
  }

  /** It waits for that one: to say so would explain nothing. */
  @Test
  void aRankStandsWhereTheThreadThatWorksForItDoes() {
    String waits = thread("rank-1", "dev.duoka.base.Uninterruptibly.join(Uninterruptibly.java:12)");
    String reads =
        thread("rank-1-beside", "java.nio.channels.FileChannel.read(FileChannel.java:7)");
    String other = thread("rank-0", "dev.duoka.data.Batches.next(Batches.java:3)");
    assertThat(frames(1, other, waits, reads).getFirst()).contains("FileChannel.read");
    assertThat(frames(1, other, waits).getFirst()).contains("Uninterruptibly.join");
    assertThat(frames(0, other, waits, reads).getFirst()).contains("Batches.next");
  }
}
