package dev.duoka.parallel.step;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.SingleRank;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.testing.TinyRuns;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.LiveTensors;
import dev.duoka.tensor.testing.LedgerSnapshot;
import dev.duoka.tensor.testing.TestDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** A long run needs no more memory than a short one. */
class SteadyMemoryTests {
  private static final Device DEVICE = TestDevice.current();
  private static final int STEPS = 200;
  private static final Pattern MAPPING = Pattern.compile("([0-9a-f]+)-[0-9a-f]+ ");
  private static final long HIGHEST_HEAP_ADDRESS = 32L << 30;

  @Test
  void twoHundredStepsLeaveEverythingFlat() throws IOException {
    try (Ranks ranks = new Ranks()) {
      for (int step = 0; step < 40; step++) {
        ranks.step(step);
      }
      LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
      long resident = nativeBytes();
      for (int step = 0; step < STEPS; step++) {
        ranks.step(step);
      }
      before.assertUnchanged();
      // What remains is the JVM's own: compiled code, for example.
      assertThat(nativeBytes() - resident).isLessThan(32L << 20);
    }
  }

  @Test
  void aStepLeavesNoTensorBehind() {
    try (Ranks ranks = new Ranks()) {
      for (int step = 0; step < 3; step++) {
        ranks.step(step); // the first of each rank makes what lasts
      }
      LiveTensors.track(true);
      try {
        for (int step = 0; step < 3; step++) {
          ranks.step(step);
        }
        assertThat(LiveTensors.report()).isEmpty();
      } finally {
        LiveTensors.track(false);
      }
    }
  }

  /** A rank for each kind of recompute, which take turns. */
  private static final class Ranks implements AutoCloseable {
    private final ModelConfig config = TinyRuns.config("tiny-v3");
    private final List<TrainingRank> ranks = new ArrayList<>();

    Ranks() {
      for (Recompute recompute : Recompute.values()) {
        TrainingRank rank =
            TrainingRank.allocate(
                new SingleRank(), DEVICE, TinyRuns.settings(config, Precision.FP32, recompute, 0));
        WeightInitializer.initialize(rank.model(), 7);
        rank.optimizer().adoptValues();
        ranks.add(rank);
      }
    }

    void step(int step) {
      ranks.get(step % ranks.size()).step().run(TinyRuns.batch(config, 0, 1, 1, 1, step), 1e-3);
    }

    @Override
    public void close() {
      ranks.forEach(TrainingRank::close);
    }
  }

  /**
   * The anonymous memory that the process has resident, without the Java heap, which the JVM puts
   * below 32 GiB and grows as it likes.
   */
  private static long nativeBytes() throws IOException {
    long kibibytes = 0;
    boolean counts = false;
    for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
      Matcher mapping = MAPPING.matcher(line);
      if (mapping.lookingAt()) {
        counts = Long.parseUnsignedLong(mapping.group(1), 16) >= HIGHEST_HEAP_ADDRESS;
      } else if (counts && line.startsWith("Anonymous:")) {
        kibibytes += Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    return kibibytes << 10;
  }
}
