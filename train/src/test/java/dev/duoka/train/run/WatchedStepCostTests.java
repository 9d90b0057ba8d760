package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.heartbeat.HeartbeatWriter;
import dev.duoka.formats.heartbeat.Phase;
import dev.duoka.train.step.StepMetrics;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a step pays for being watched: its line of metrics and its beats, on its own thread. */
class WatchedStepCostTests {
  private static final int BLOCKS = 40;
  private static final int STEPS = 100;

  /** As a run file has it unless it says otherwise. */
  private static final int RANGES_EVERY = 10;

  private static final int LAYERS = 64;
  private static final int RANKS = 8;

  /** The bound of what is promised; it takes a tenth of that. */
  private static final double MOST_MICROSECONDS = 50;

  /** What is handed over, and its place in the queue. */
  private static final double MOST_BYTES = 1024;

  @TempDir Path folder;

  private static StepMetrics metrics(long step) {
    boolean whole = step % RANGES_EVERY == 0;
    return new StepMetrics(
        step,
        2.25 + 1.0 / step,
        Double.NaN,
        Map.of(),
        1e-3 / step,
        0.5 + 1.0 / step,
        1,
        true,
        whole
            ? IntStream.range(0, LAYERS)
                .mapToObj(
                    layer ->
                        new StepMetrics.GradientRange(
                            "model.layers." + layer, -1.0 / step, 2.0 / step, 0.5 / step))
                .toList()
            : List.of(),
        List.of(),
        65_536,
        123_456.7 + step,
        30.1,
        0.4123,
        new StepMetrics.StepTime(1e-4, 0.1 + 1e-3 / step, 0.2, 0.01, 0.3111),
        whole ? Map.of("data", 0.01, "tensor", 0.02, "expert", 0.005) : Map.of(),
        new StepMetrics.MemoryUse(
            1L << 34,
            1L << 35,
            1L << 36,
            false,
            whole
                ? IntStream.range(0, RANKS)
                    .mapToObj(
                        _ ->
                            new StepMetrics.RankUse(
                                Map.of("weights", 1L << 30, "gradients", 1L << 31, "logits", 7L),
                                1L << 36,
                                1L << 27))
                    .toList()
                : List.of()));
  }

  private static long allocated(MBeanServer server) throws JMException {
    return (long)
        server.invoke(
            new ObjectName(ManagementFactory.THREAD_MXBEAN_NAME),
            "getThreadAllocatedBytes",
            new Object[] {Thread.currentThread().threadId()},
            new String[] {"long"});
  }

  /** Time of the processor, not of the clock, and the median: other programs change neither. */
  @Test
  void beingWatchedCostsAStepLittle() throws Exception {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    double[] microseconds = new double[BLOCKS];
    double[] bytes = new double[BLOCKS];
    List<String> notices = new CopyOnWriteArrayList<>();
    HeartbeatWriter heartbeat =
        new HeartbeatWriter(folder.resolve("rank-0.heartbeat"), 0, RANKS, 1_000_000);
    try (MetricsFile file = MetricsFile.open(folder, 0, notices::add)) {
      for (int block = 0; block < BLOCKS; block++) {
        List<StepMetrics> steps =
            LongStream.rangeClosed(block * STEPS + 1L, (block + 1L) * STEPS)
                .mapToObj(WatchedStepCostTests::metrics)
                .toList();
        long bytesBefore = allocated(server);
        long before = threads.getCurrentThreadCpuTime();
        for (StepMetrics step : steps) {
          heartbeat.enter(Phase.DATA, step.step(), 0);
          heartbeat.enter(Phase.STEP, step.step(), 0);
          file.step(step);
          heartbeat.beat();
        }
        microseconds[block] = (threads.getCurrentThreadCpuTime() - before) * 1e-3 / STEPS;
        bytes[block] = (double) (allocated(server) - bytesBefore) / STEPS;
      }
    }
    assertThat(notices).isEmpty();
    assertThat(Files.readAllLines(folder.resolve(MetricsFile.NAME))).hasSize(BLOCKS * STEPS);
    assertThat(median(microseconds)).isPositive().isLessThan(MOST_MICROSECONDS);
    assertThat(median(bytes)).isPositive().isLessThan(MOST_BYTES);
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
