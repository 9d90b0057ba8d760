package dev.duoka.formats.heartbeat;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class HeartbeatTests {
  @TempDir Path folder;

  @Test
  void whatARankSaysIsReadAtOnce() {
    Path file = folder.resolve("rank-3.heartbeat");
    HeartbeatWriter writer = new HeartbeatWriter(file, 3, 8, 100);
    assertThat(Heartbeat.read(file).orElseThrow().phase()).isEqualTo(Phase.LOADING);
    writer.enter(Phase.SAVING, 17, 4096);
    writer.beat();
    Heartbeat read = Heartbeat.read(file).orElseThrow();
    assertThat(read.rank()).isEqualTo(3);
    assertThat(read.world()).isEqualTo(8);
    assertThat(read.pid()).isEqualTo(ProcessHandle.current().pid());
    assertThat(read.phase()).isEqualTo(Phase.SAVING);
    assertThat(read.step()).isEqualTo(17);
    assertThat(read.totalSteps()).isEqualTo(100);
    assertThat(read.beats()).isEqualTo(2);
    assertThat(read.bytes()).isEqualTo(4096);
  }

  @Test
  void whatIsNoHeartbeatIsNone() throws IOException {
    Path file = folder.resolve("other");
    assertThat(Heartbeat.read(file)).isEmpty();
    byte[] bytes = new byte[128];
    Files.write(file, bytes);
    assertThat(Heartbeat.read(file)).isEmpty();
    Files.write(file, Arrays.copyOf(bytes, 20));
    assertThat(Heartbeat.read(file)).isEmpty();
  }

  /** Whatever the bytes, reading ends in a value or in none. Seeds 0 to 199. */
  @Test
  void damageIsNoError() throws IOException {
    Path file = folder.resolve("rank-0.heartbeat");
    new HeartbeatWriter(file, 0, 1, 1).enter(Phase.STEP, 1, 0);
    byte[] whole = Files.readAllBytes(file);
    Path damaged = folder.resolve("damaged");
    for (int seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      byte[] bytes = Arrays.copyOf(whole, random.nextInt(whole.length + 1));
      for (int i = 0; i < 4 && bytes.length > 0; i++) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      Files.write(damaged, bytes);
      Heartbeat.read(damaged)
          .ifPresent(read -> assertThat(read.phase()).as("seed").isIn((Object[]) Phase.values()));
    }
  }
}
