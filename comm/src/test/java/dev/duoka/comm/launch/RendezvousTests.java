package dev.duoka.comm.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.RankBody;
import dev.duoka.comm.tcp.RunSecret;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class RendezvousTests {
  private static final Duration LONG = Duration.ofSeconds(30);

  private final int port = FreePort.any();
  private final AtomicInteger started = new AtomicInteger();

  /** One process of a run. */
  private Thread process(
      int process,
      int processes,
      RankRange ranks,
      String version,
      Duration limit,
      List<@Nullable Throwable> ends) {
    RankBody body =
        world -> {
          started.incrementAndGet();
          world.agreement().barrier();
        };
    return Thread.ofPlatform()
        .start(
            () -> {
              try {
                TestProcesses.run(
                    TestProcesses.place(process, processes, port),
                    ranks,
                    limit,
                    limit,
                    body,
                    version);
              } catch (Throwable t) {
                ends.set(process, t);
              }
            });
  }

  private static List<@Nullable Throwable> none(int processes) {
    List<@Nullable Throwable> ends = new ArrayList<>();
    for (int i = 0; i < processes; i++) {
      ends.add(null);
    }
    return ends;
  }

  @Test
  void anotherVersionIsRefusedWithBothNamed() throws InterruptedException {
    List<@Nullable Throwable> ends = none(2);
    Thread first = process(0, 2, new RankRange(0, 1, 2), "1.2", LONG, ends);
    Thread second = process(1, 2, new RankRange(1, 1, 2), "1.3", LONG, ends);
    first.join();
    second.join();
    for (Throwable end : ends) {
      assertThat(end)
          .isInstanceOfSatisfying(
              DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIG))
          .hasMessageMatching(
              "process 1 \\(pid \\d+ on .+\\) is of version 1\\.3, but process 0 \\(pid \\d+ on"
                  + " .+\\) of 1\\.2\\. Install .*");
    }
    assertThat(started).hasValue(0);
  }

  @Test
  void anotherRunIsRefused() throws InterruptedException {
    List<@Nullable Throwable> ends = none(2);
    Thread first = process(0, 2, new RankRange(0, 2, 4), "1", LONG, ends);
    Thread second = process(1, 2, new RankRange(1, 1, 2), "1", LONG, ends);
    first.join();
    second.join();
    assertThat(ends)
        .allSatisfy(
            end ->
                assertThat(end)
                    .hasMessageContaining("is of a run of 2 processes and 2 ranks, but process 0")
                    .hasMessageContaining("of one of 2 processes and 4 ranks"));
  }

  @Test
  void ranksOfAnotherPlaceAreRefused() throws InterruptedException {
    List<@Nullable Throwable> ends = none(2);
    Thread first = process(0, 2, new RankRange(0, 2, 4), "1", LONG, ends);
    Thread second = process(1, 2, new RankRange(0, 2, 4), "1", LONG, ends);
    first.join();
    second.join();
    assertThat(ends)
        .allSatisfy(
            end ->
                assertThat(end)
                    .hasMessageContaining("holds other ranks than its place says: 0 to 1."));
  }

  @Test
  void anotherRunFileIsRefusedWithItsFirstDifference() throws InterruptedException {
    List<@Nullable Throwable> ends = none(2);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      int process = i;
      Terms terms = Terms.of("steps: 20\n  seed: " + process + "\nzero: " + process);
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try (ProcessRanks joined =
                        ProcessRanks.join(
                            TestProcesses.place(process, 2, port),
                            new RankRange(process, 1, 2),
                            LONG,
                            LONG,
                            terms,
                            "")) {
                      started.addAndGet(joined.ranks().count());
                    } catch (RuntimeException e) {
                      ends.set(process, e);
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(ends)
        .allSatisfy(
            end ->
                assertThat(end)
                    .hasMessageContaining("are of different runs, the first difference:")
                    .hasMessageContaining("'seed: 1' and 'seed: 0'"));
    assertThat(started).hasValue(0);
  }

  @Test
  void aNumberThatIsThereTwiceIsRefused() throws InterruptedException {
    List<@Nullable Throwable> ends = none(3);
    List<@Nullable Throwable> others = none(3);
    Thread first = process(0, 3, new RankRange(0, 1, 3), "1", LONG, ends);
    Thread second = process(1, 3, new RankRange(1, 1, 3), "1", LONG, ends);
    Thread again = process(1, 3, new RankRange(1, 1, 3), "1", LONG, others);
    first.join();
    second.join();
    again.join();
    for (Throwable end :
        List.of(notNull(ends.get(0)), notNull(ends.get(1)), notNull(others.get(1)))) {
      assertThat(end).hasMessageContaining("process 1 is there twice: process 1 (pid");
    }
  }

  private static Throwable notNull(@Nullable Throwable end) {
    assertThat(end).isNotNull();
    return end == null ? new AssertionError() : end;
  }

  @Test
  void whoDoesNotComeIsNamed() throws InterruptedException {
    List<@Nullable Throwable> ends = none(4);
    Thread first = process(0, 4, new RankRange(0, 1, 4), "1", Duration.ofSeconds(1), ends);
    Thread third = process(2, 4, new RankRange(2, 1, 4), "1", Duration.ofSeconds(1), ends);
    first.join();
    third.join();
    for (int process : new int[] {0, 2}) {
      assertThat(ends.get(process))
          .isInstanceOfSatisfying(
              DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.RANK_LOST))
          .hasMessageContaining("of 4 processes these have not come to 127.0.0.1:" + port)
          .hasMessageContaining("within 1 s: [1, 3]");
    }
  }

  @Test
  void withoutProcess0TheAddressIsNamed() {
    assertThatThrownBy(
            () ->
                TestProcesses.run(
                    TestProcesses.place(1, 2, port),
                    new RankRange(1, 1, 2),
                    Duration.ofMillis(300),
                    LONG,
                    _ -> {},
                    TestProcesses.VERSION))
        .hasMessageContaining("cannot reach process 0 at 127.0.0.1:" + port)
        .hasMessageContaining("Connection refused");
  }

  @Test
  void aPortInUseIsNamedWithTheNextStep() throws IOException {
    try (ServerSocket socket = new ServerSocket(port)) {
      assertThat(socket.getLocalPort()).isEqualTo(port);
      assertThatThrownBy(
              () ->
                  TestProcesses.run(
                      TestProcesses.place(0, 2, port),
                      new RankRange(0, 1, 2),
                      LONG,
                      LONG,
                      _ -> {},
                      TestProcesses.VERSION))
          .isInstanceOfSatisfying(
              DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIG))
          .hasMessageContaining("port " + port)
          .hasMessageContaining("DUOKA_RENDEZVOUS")
          .hasMessageContaining("ss -ltnp");
    }
  }

  /** Something else listens where process 0 should: it answers, but not as one of ours. */
  @Test
  void anotherProgramAtTheAddressIsNoProcess0() throws Exception {
    try (ServerSocket socket = new ServerSocket(port)) {
      Thread other =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try (Socket client = socket.accept()) {
                      client.getOutputStream().write(new byte[] {-1, -1, -1, 0, 0, 0, 0, 0});
                      client.getInputStream().readAllBytes();
                    } catch (IOException e) {
                      throw new IllegalStateException(e);
                    }
                  });
      assertThatThrownBy(
              () ->
                  TestProcesses.run(
                      TestProcesses.place(1, 2, port),
                      new RankRange(1, 1, 2),
                      LONG,
                      LONG,
                      _ -> {},
                      TestProcesses.VERSION))
          .hasMessageContaining("cannot meet the other processes at 127.0.0.1:" + port)
          .hasMessageContaining("is none of duoka's processes");
      other.join();
    }
  }

  /** Noise before, during and after; some begin like ours, some say nothing, some hang up. */
  @Test
  void strangersDisturbNobody() throws Exception {
    Random random = new Random(7);
    List<@Nullable Throwable> ends = none(2);
    Thread first = process(0, 2, new RankRange(0, 1, 2), "1", LONG, ends);
    List<Socket> strangers = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      Socket stranger = new Socket();
      while (true) {
        try {
          stranger.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
          break;
        } catch (IOException e) { // process 0 has not begun yet
          stranger.close();
          stranger = new Socket();
          Thread.sleep(5);
        }
      }
      byte[] noise = new byte[random.nextInt(200)];
      random.nextBytes(noise);
      switch (i % 4) {
        case 0 ->
            stranger
                .getOutputStream()
                .write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        case 1 -> stranger.getOutputStream().write(noise);
        case 2 -> {
          stranger.getOutputStream().write("duoka/2\n".getBytes(StandardCharsets.US_ASCII));
          stranger.getOutputStream().write(noise);
          stranger.shutdownOutput();
        }
        default -> {}
      }
      if (i % 3 == 0) {
        stranger.close();
      }
      strangers.add(stranger);
    }
    Thread second = process(1, 2, new RankRange(1, 1, 2), "1", LONG, ends);
    first.join();
    second.join();
    for (Socket stranger : strangers) {
      stranger.close();
    }
    assertThat(ends).containsOnlyNulls();
    assertThat(started).hasValue(2);
  }

  /** Whoever has another secret is hung up on, is told why, and keeps nobody out. */
  @Test
  void anotherSecretIsRefused() throws InterruptedException {
    RunSecret right = RunSecret.of(Map.of("DUOKA_SECRET", "right"));
    RunSecret wrong = RunSecret.of(Map.of("DUOKA_SECRET", "wrong"));
    List<@Nullable Throwable> ends = none(3);
    Thread first = joining(0, right, ends, 0);
    Thread stranger = joining(1, wrong, ends, 2);
    stranger.join();
    Thread second = joining(1, right, ends, 1);
    first.join();
    second.join();
    assertThat(ends.get(0)).isNull();
    assertThat(ends.get(1)).isNull();
    assertThat(ends.get(2))
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIG))
        .hasMessageContaining("process 0 does not have this process's secret");
  }

  private Thread joining(int process, RunSecret secret, List<@Nullable Throwable> ends, int place) {
    return Thread.ofPlatform()
        .start(
            () -> {
              try {
                Rendezvous.join(
                    TestProcesses.place(process, 2, port),
                    Terms.of("same"),
                    "",
                    new RankRange(process, 1, 2),
                    1,
                    LONG,
                    secret);
              } catch (RuntimeException e) {
                ends.set(place, e);
              }
            });
  }

  @Test
  void aSecretThatOthersMayReadIsRefused(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("secret"), "x\n");
    Map<String, String> environment = Map.of("DUOKA_SECRET_FILE", file.toString());
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
    assertThatThrownBy(() -> RunSecret.of(environment))
        .hasMessageContaining("which others may read")
        .hasMessageContaining("chmod 600");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    RunSecret.of(environment);
    Files.writeString(file, "\n");
    assertThatThrownBy(() -> RunSecret.of(environment)).hasMessageContaining("holds no secret");
  }

  @Test
  void aRunOfOneMachineTakesCallsOfThatMachineAlone() {
    assertThat(
            Rendezvous.bindable(InetSocketAddress.createUnresolved("127.0.0.1", 5), 0)
                .getAddress()
                .isLoopbackAddress())
        .isTrue();
    assertThat(
            Rendezvous.bindable(InetSocketAddress.createUnresolved("192.0.2.1", 5), 0)
                .getAddress()
                .isAnyLocalAddress())
        .isTrue();
  }
}
