package dev.duoka.train.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.SingleRank;
import dev.duoka.layout.Precision;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process that saves all the time is killed again and again. */
class KilledProcessTests {
  private static final long SEED = 4711;
  private static final int KILLS = 9;

  @TempDir Path run;

  @Test
  @Timeout(600)
  void latestCheckpointIsWholeWheneverTheProcessDies() throws IOException, InterruptedException {
    Random random = new Random(SEED);
    CheckpointStore store = new CheckpointStore(run);
    long before = 0;
    Child child = new Child(run);
    Child next = child;
    try {
      for (int kill = 0; kill < KILLS; kill++) {
        child = next;
        child.waitUntilReady();
        next = new Child(run); // starts up while the other one saves
        child.go();
        int saves = 1 + random.nextInt(8);
        for (int line = 0; line < saves; line++) {
          assertThat(child.line()).as("kill %s of seed %s", kill, SEED).startsWith("saving ");
        }
        Thread.sleep(random.nextInt(40), random.nextInt(1_000_000));
        child.kill();
        List<CheckpointEvent> events = new ArrayList<>();
        Optional<Checkpoint> latest = store.latestValid(events::add);
        assertThat(events).as("kill %s of seed %s", kill, SEED).isEmpty();
        if (latest.isPresent()) {
          assertThat(latest.get().step()).isGreaterThanOrEqualTo(before);
          before = latest.get().step();
          restoreAndCompare(latest.get());
        } else {
          assertThat(before).isZero();
        }
      }
    } finally {
      child.kill(); // it holds this JVM's output, which nobody may read to its end otherwise
      next.kill();
    }
    assertThat(before).as("steps saved in all").isGreaterThan(KILLS / 2);
  }

  private static void restoreAndCompare(Checkpoint checkpoint) {
    try (CheckpointReader reader = CheckpointReader.open(checkpoint);
        TestRank rank = TestRank.create(new SingleRank(), 0, Precision.BF16)) {
      reader.restore(rank.model(), rank.optimizer());
      assertThat(reader.state()).isEqualTo(TestRank.state(checkpoint.step()));
      assertThat(rank.difference(checkpoint.step())).isEmpty();
    }
  }

  /** A {@link SavingProcess}. */
  private static final class Child {
    private final Process process;
    private final BufferedReader output;

    Child(Path run) throws IOException {
      process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-Xmx256m",
                  "-XX:+UseSerialGC",
                  "-XX:TieredStopAtLevel=1",
                  "--enable-native-access=ALL-UNNAMED",
                  "-cp",
                  classPath(),
                  SavingProcess.class.getName(),
                  run.toString())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      output = process.inputReader();
    }

    /**
     * All that this JVM has; Maven puts modules on a path of their own and patches the tests in.
     */
    private static String classPath() {
      String repository = System.getProperty("duoka.repository", "");
      return String.join(
          File.pathSeparator,
          Path.of(repository, "train", "target", "test-classes").toString(),
          System.getProperty("jdk.module.path", ""),
          System.getProperty("java.class.path", ""));
    }

    void waitUntilReady() throws IOException {
      assertThat(line()).isEqualTo("ready");
    }

    void go() throws IOException {
      process.outputWriter().write('\n');
      process.outputWriter().flush();
    }

    String line() throws IOException {
      String line = output.readLine();
      return line == null ? "the process has ended" : line;
    }

    /** SIGKILL. */
    void kill() throws InterruptedException {
      process.destroyForcibly().waitFor();
    }
  }
}
