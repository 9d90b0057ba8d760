package dev.duoka.comm.launch;

import dev.duoka.comm.RankBody;
import dev.duoka.comm.SingleRank;
import dev.duoka.comm.tcp.Workout;
import dev.duoka.tensor.Dtype;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** A process of a run of several, for tests. */
final class RankProcess {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private RankProcess() {}

  /**
   * With {@code workout RANKS DTYPE ...} one process as the environment says, which holds so many
   * ranks and prints what they got. With {@code loop LIMIT PORT ...} or {@code diverge LIMIT PORT
   * ...} the second of three processes, once for each kind of exchange, all at the same time, which
   * prints how each ended.
   */
  public static void main(String[] arguments) throws Exception {
    if (arguments[0].equals("workout")) {
      workout(
          Integer.parseInt(arguments[1]),
          Arrays.stream(arguments).skip(2).map(Dtype::valueOf).toArray(Dtype[]::new));
    } else {
      victims(arguments);
    }
  }

  private static void workout(int ranksEach, Dtype... dtypes) {
    ProcessPlace place = ProcessPlace.of(System.getenv());
    Workout workout = new Workout(dtypes);
    TestProcesses.run(
        place,
        place.ranks(ranksEach * place.processes(), OptionalInt.of(ranksEach)),
        LIMIT,
        LIMIT,
        workout,
        TestProcesses.VERSION);
    for (Map.Entry<Integer, List<String>> result : workout.results().entrySet()) {
      result.getValue().forEach(line -> say(result.getKey() + ": " + line));
    }
  }

  private static void victims(String[] arguments) throws Exception {
    Duration limit = Duration.ofMillis(Long.parseLong(arguments[1]));
    RankBody warm = new Workout(1);
    warm.run(new SingleRank());
    say("ready");
    List<Thread> threads = new ArrayList<>();
    for (ExchangeKind kind : ExchangeKind.values()) {
      int port = Integer.parseInt(arguments[2 + kind.ordinal()]);
      RankBody body = arguments[0].equals("loop") ? looping(kind) : world -> kind.runAnother(world);
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      TestProcesses.run(
                          TestProcesses.place(ExchangeKind.VICTIM, ExchangeKind.RANKS, port),
                          new RankRange(ExchangeKind.VICTIM, 1, ExchangeKind.RANKS),
                          TestProcesses.MEETING,
                          limit,
                          body,
                          TestProcesses.VERSION);
                      say(kind + " ended well");
                    } catch (RuntimeException e) {
                      say(kind + " " + e.getMessage());
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
  }

  /** The same exchange again and again, until the run is ended. */
  static RankBody looping(ExchangeKind kind) {
    return world -> {
      for (int round = 0; ; round++) {
        kind.run(world);
        if (world.rank() == ExchangeKind.VICTIM && round == 3) {
          say("looping");
        }
        Thread.sleep(5);
      }
    };
  }

  private static synchronized void say(String line) {
    System.out.println(line);
    System.out.flush();
  }
}
