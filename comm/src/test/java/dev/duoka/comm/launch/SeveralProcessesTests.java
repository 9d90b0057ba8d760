package dev.duoka.comm.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.RankBody;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.comm.tcp.Workout;
import dev.duoka.tensor.Dtype;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ranks in real processes: the same bits as threads, and one message when a process is lost. */
@Timeout(120)
class SeveralProcessesTests {
  /** Long enough for a busy machine, short enough to wait for once in a test. */
  private static final Duration LIMIT = Duration.ofSeconds(8);

  /** One process with four ranks is {@link LocalRanks}: what all others are compared with. */
  @ParameterizedTest
  @CsvSource({
    "2, 1, FLOAT64 INT64",
    "4, 1, BFLOAT16",
    "2, 2, FLOAT32",
    "8, 1, FLOAT32",
  })
  void processesComputeWhatThreadsDo(int processes, int ranksEach, String dtypes)
      throws IOException, InterruptedException {
    String port = Integer.toString(FreePort.any());
    List<Child> children = new ArrayList<>();
    for (int process = 0; process < processes; process++) {
      children.add(
          new Child(
              Map.of(
                  "RANK",
                  Integer.toString(process),
                  "WORLD_SIZE",
                  Integer.toString(processes),
                  "MASTER_ADDR",
                  "localhost",
                  "MASTER_PORT",
                  port),
              ("workout " + ranksEach + " " + dtypes).split(" ")));
    }
    Workout expected =
        new Workout(Arrays.stream(dtypes.split(" ")).map(Dtype::valueOf).toArray(Dtype[]::new));
    LocalRanks.run(processes * ranksEach, expected);
    List<String> lines = new ArrayList<>();
    for (Child child : children) {
      lines.addAll(child.rest());
      assertThat(child.status()).as("%s", lines).isZero();
    }
    List<String> wanted = new ArrayList<>();
    expected
        .results()
        .forEach((rank, results) -> results.forEach(line -> wanted.add(rank + ": " + line)));
    assertThat(lines).containsExactlyInAnyOrderElementsOf(wanted);
  }

  @Test
  void aKilledProcessIsNamedInEveryKindOfExchange() throws IOException, InterruptedException {
    Survivors survivors = new Survivors();
    Child victim = survivors.victim("loop");
    survivors.start(RankProcess::looping);
    victim.awaitLoops();
    victim.signal("KILL");
    victim.status();
    survivors.join();
    survivors.assertOneMessage(
        kind ->
            new String[] {
              "rank 1 is lost: process 1 (pid " + victim.pid(), "closed its connection"
            });
  }

  @Test
  void aProcessThatStandsStillIsNamedInEveryKindOfExchange()
      throws IOException, InterruptedException {
    Survivors survivors = new Survivors();
    Child victim = survivors.victim("loop");
    survivors.start(RankProcess::looping);
    victim.awaitLoops();
    victim.signal("STOP");
    survivors.join();
    victim.signal("CONT");
    survivors.assertOneMessage(
        kind ->
            new String[] {
              "has waited 8.0 s for rank",
              "rank 1 does not answer: process 1 (pid " + victim.pid(),
              "stands still"
            });
    // It learns that the others have gone on without it.
    assertThat(victim.rest())
        .hasSize(ExchangeKind.values().length)
        .noneMatch(l -> l.endsWith("well"));
    assertThat(victim.status()).isZero();
  }

  /** The first who notice say it: of whom they are depends on who came first. */
  @Test
  void aRankThatCallsSomethingElseIsNamedInEveryKindOfExchange()
      throws IOException, InterruptedException {
    Survivors survivors = new Survivors();
    Child victim = survivors.victim("diverge");
    survivors.start(kind -> kind::run);
    survivors.join();
    survivors.assertOneMessage(
        kind ->
            switch (kind) {
              case SEND, RECEIVE ->
                  new String[] {"has waited 8.0 s for rank", "rank 1 is in barrier in world"};
              case BARRIER -> new String[] {"in agree of 1 × float64 in world", "but rank "};
              case SMALL_ALL_REDUCE,
                  ALL_REDUCE,
                  REDUCE_SCATTER,
                  ALL_GATHER,
                  ALL_TO_ALL,
                  BROADCAST,
                  AGREE,
                  SPLIT ->
                  new String[] {"in barrier in world", "but rank "};
            });
    // The one that went astray gets the very message.
    Map<ExchangeKind, String> messages = survivors.messages();
    assertThat(victim.rest())
        .containsExactlyInAnyOrderElementsOf(
            messages.entrySet().stream().map(e -> e.getKey() + " " + e.getValue()).toList());
    assertThat(victim.status()).isZero();
  }

  /** The first and the third process of one run for each kind of exchange, as threads. */
  private static final class Survivors {
    private final List<Integer> ports =
        Arrays.stream(ExchangeKind.values()).map(_ -> FreePort.any()).toList();
    private final List<Thread> threads = new ArrayList<>();
    private final Map<ExchangeKind, @Nullable Throwable[]> ends = new EnumMap<>(ExchangeKind.class);

    /** The second process of all these runs; it has started when this returns. */
    Child victim(String what) throws IOException {
      List<String> arguments = new ArrayList<>(List.of(what, Long.toString(LIMIT.toMillis())));
      ports.forEach(port -> arguments.add(port.toString()));
      Child child = new Child(Map.of(), arguments.toArray(String[]::new));
      assertThat(child.line()).isEqualTo("ready");
      return child;
    }

    void start(Function<ExchangeKind, RankBody> bodies) {
      for (ExchangeKind kind : ExchangeKind.values()) {
        @Nullable Throwable[] both = new @Nullable Throwable[2];
        ends.put(kind, both);
        for (int process : new int[] {0, 2}) {
          threads.add(
              Thread.ofPlatform()
                  .start(
                      () -> {
                        try {
                          TestProcesses.run(
                              TestProcesses.place(
                                  process, ExchangeKind.RANKS, ports.get(kind.ordinal())),
                              new RankRange(process, 1, ExchangeKind.RANKS),
                              TestProcesses.MEETING,
                              LIMIT,
                              bodies.apply(kind),
                              TestProcesses.VERSION);
                        } catch (Throwable t) {
                          both[process / 2] = t;
                        }
                      }));
        }
      }
    }

    void join() throws InterruptedException {
      for (Thread thread : threads) {
        thread.join();
      }
    }

    Map<ExchangeKind, String> messages() {
      Map<ExchangeKind, String> messages = new EnumMap<>(ExchangeKind.class);
      ends.forEach(
          (kind, both) -> {
            Throwable first = both[0];
            messages.put(kind, first == null ? "ended well" : String.valueOf(first.getMessage()));
          });
      return messages;
    }

    /** Both say the same, of this kind of exchange, and all of {@code texts}. */
    void assertOneMessage(Function<ExchangeKind, String[]> texts) {
      ends.forEach(
          (kind, both) -> {
            String message = messages().get(kind);
            assertThat(message)
                .as("%s", kind)
                .contains(kind.text(), "(" + ExchangeKind.PURPOSE + ")")
                .contains(texts.apply(kind));
            assertThat(both[1]).as("%s", kind).hasMessage(message);
          });
    }
  }

  /** A {@link RankProcess}. */
  private static final class Child {
    private final Process process;
    private final BufferedReader output;

    Child(Map<String, String> environment, String... arguments) throws IOException {
      List<String> command =
          new ArrayList<>(
              List.of(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-Xmx256m",
                  "-XX:+UseSerialGC",
                  "-XX:TieredStopAtLevel=1",
                  "--enable-native-access=ALL-UNNAMED",
                  "-cp",
                  classPath(),
                  RankProcess.class.getName()));
      command.addAll(List.of(arguments));
      ProcessBuilder builder =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
      builder.environment().put("OMP_NUM_THREADS", "1");
      builder.environment().putAll(environment);
      process = builder.start();
      output = process.inputReader();
    }

    /**
     * All that this JVM has; Maven puts modules on a path of their own and patches the tests in.
     */
    private static String classPath() {
      String repository = System.getProperty("duoka.repository", "");
      return String.join(
          File.pathSeparator,
          Path.of(repository, "comm", "target", "test-classes").toString(),
          System.getProperty("jdk.module.path", ""),
          System.getProperty("java.class.path", ""));
    }

    long pid() {
      return process.pid();
    }

    String line() throws IOException {
      String line = output.readLine();
      return line == null ? "the process has ended" : line;
    }

    /** Returns when all kinds of exchange go on. */
    void awaitLoops() throws IOException {
      for (int i = 0; i < ExchangeKind.values().length; i++) {
        assertThat(line()).isEqualTo("looping");
      }
    }

    /** All lines until it ends. */
    List<String> rest() throws IOException {
      try (Stream<String> lines = output.lines()) {
        return lines.toList();
      }
    }

    void signal(String name) throws IOException, InterruptedException {
      assertThat(new ProcessBuilder("kill", "-" + name, "" + pid()).start().waitFor()).isZero();
    }

    int status() throws InterruptedException {
      return process.waitFor();
    }
  }
}
