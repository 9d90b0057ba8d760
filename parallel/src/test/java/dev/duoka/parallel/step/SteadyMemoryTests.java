package dev.duoka.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.SingleRank;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.LiveTensors;
import dev.duoka.tensor.testing.LedgerSnapshot;
import dev.duoka.tensor.testing.TestDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
    try (TinyModel tiny = new TinyModel("tiny-v3", DEVICE);
        ShardedOptimizer optimizer = optimizer(tiny)) {
      for (int step = 0; step < 40; step++) {
        step(tiny, optimizer, step);
      }
      LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
      long resident = nativeBytes();
      for (int step = 0; step < STEPS; step++) {
        step(tiny, optimizer, step);
      }
      before.assertUnchanged();
      // What remains is the JVM's own: compiled code, for example.
      assertThat(nativeBytes() - resident).isLessThan(32L << 20);
    }
  }

  @Test
  void aStepLeavesNoTensorBehind() {
    try (TinyModel tiny = new TinyModel("tiny-v3", DEVICE);
        ShardedOptimizer optimizer = optimizer(tiny)) {
      step(tiny, optimizer, 0);
      LiveTensors.track(true);
      try {
        for (int step = 0; step < 3; step++) {
          step(tiny, optimizer, step);
        }
        assertThat(LiveTensors.report()).isEmpty();
      } finally {
        LiveTensors.track(false);
      }
    }
  }

  private static ShardedOptimizer optimizer(TinyModel tiny) {
    return new ShardedOptimizer(
        tiny.model().parameters(), new SingleRank(), new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1), 0);
  }

  private static void step(TinyModel tiny, ShardedOptimizer optimizer, int step) {
    Recompute[] modes = Recompute.values();
    tiny.trainOnly(modes[step % modes.length], 1, 32);
    optimizer.step(1e-3, 1);
    tiny.model().selectionBiases().forEach(bias -> bias.update(1e-3, new SingleRank()));
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
