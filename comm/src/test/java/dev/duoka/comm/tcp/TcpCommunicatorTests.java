package dev.duoka.comm.tcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.Pending;
import dev.duoka.comm.Purpose;
import dev.duoka.comm.RankBody;
import dev.duoka.comm.launch.TestProcesses;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.testing.LedgerSnapshot;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranks of several processes compute what ranks that are threads do, and none waits for ever. */
@Timeout(60)
class TcpCommunicatorTests {
  /** Far more than anything takes that goes well. */
  private static final Duration LONG = Duration.ofSeconds(30);

  private static final Duration SHORT = Duration.ofMillis(800);

  private static Tensor numbers(double... values) {
    return HostCopy.fromDoubles(values, Dtype.FLOAT32, Device.CPU, values.length);
  }

  @ParameterizedTest
  @CsvSource({"2, 1", "3, 1", "2, 2", "1, 3", "4, 2"})
  void everyExchangeGivesTheBitsOfThreads(int processes, int ranksEach) {
    LedgerSnapshot before = LedgerSnapshot.of(Device.CPU);
    Workout expected = new Workout();
    LocalRanks.run(processes * ranksEach, expected);
    Workout workout = new Workout();
    assertThat(TestProcesses.run(processes, ranksEach, LONG, workout)).containsOnlyNulls();
    assertThat(workout.results()).isEqualTo(expected.results());
    assertThat(workout.results()).hasSize(processes * ranksEach);
    before.assertUnchanged();
  }

  /** Many chunks of a sum, and stretches that do not come out even. */
  @Test
  void largeTensorsGiveTheBitsOfThreads() {
    Workout expected = new Workout(900_001, Dtype.FLOAT32);
    LocalRanks.run(3, expected);
    Workout workout = new Workout(900_001, Dtype.FLOAT32);
    assertThat(TestProcesses.run(3, 1, LONG, workout)).containsOnlyNulls();
    assertThat(workout.results()).isEqualTo(expected.results());
  }

  @Test
  void emptyTensorsAreExchangedToo() {
    succeeds(
        world -> {
          try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
            world.allReduce(Tensors.zeros(Dtype.FLOAT32, Device.CPU, 0)).join();
            Tensor none = Tensors.zeros(Dtype.FLOAT32, Device.CPU, 0, 4);
            world.allToAll(none, new long[2], none, new long[2]).join();
            Pending sent = world.send(none, 1 - world.rank());
            world.receive(Tensors.zeros(Dtype.FLOAT32, Device.CPU, 0, 4), 1 - world.rank()).join();
            sent.join();
          }
        });
  }

  @Test
  void theFirstReceptionGetsTheFirstMessage() {
    succeeds(
        world -> {
          for (int length : new int[] {1, 100_000}) {
            try (Tensor one = Tensors.full(1, Dtype.FLOAT32, Device.CPU, length);
                Tensor two = Tensors.full(2, Dtype.FLOAT32, Device.CPU, length)) {
              if (world.rank() == 0) {
                Pending first = world.send(one, 1);
                world.send(two, 1).join();
                first.join();
              } else {
                Pending first = world.receive(two, 0);
                Pending second = world.receive(one, 0);
                second.join();
                first.join();
                assertThat(HostCopy.floats(two)).containsOnly(1);
                assertThat(HostCopy.floats(one)).containsOnly(2);
              }
            }
          }
        });
  }

  @Test
  void barriersHoldEverybodyBack() {
    AtomicInteger arrived = new AtomicInteger();
    assertThat(
            TestProcesses.run(
                2,
                2,
                LONG,
                world -> {
                  for (int round = 1; round <= 20; round++) {
                    arrived.incrementAndGet();
                    world.agreement().barrier();
                    assertThat(arrived.get()).isGreaterThanOrEqualTo(round * 4);
                    world.agreement().barrier();
                  }
                }))
        .containsOnlyNulls();
  }

  /** Two processes, so that one of the three others is in the failing rank's. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void aFailingRankReleasesTheOthers(int failing) {
    AtomicInteger lost = new AtomicInteger();
    List<@Nullable Throwable> ends =
        TestProcesses.run(
            2,
            2,
            LONG,
            world -> {
              if (world.rank() == failing) {
                world.agreement().barrier();
                throw new UnsupportedOperationException("no more memory");
              }
              try (Tensor tensor = numbers(1, 2)) {
                world.agreement().barrier(); // may end before all have left it
                world.allReduce(tensor);
              } catch (DuokaException e) {
                assertThat(e.code()).isEqualTo(ErrorCode.RANK_LOST);
                assertThat(e).hasMessageContaining("rank " + failing + " failed (no more memory)");
                assertThat(world.failure()).isNotNull();
                assertThatThrownBy(world.agreement()::barrier).isInstanceOf(DuokaException.class);
                lost.incrementAndGet();
                throw e;
              }
            });
    assertThat(ends.get(failing / 2)).isInstanceOf(UnsupportedOperationException.class);
    assertThat(ends.get(1 - failing / 2))
        .hasMessage("rank " + failing + " failed (no more memory), so the other ranks stop too");
    assertThat(lost).hasValue(3);
  }

  @Test
  void differentCallsAreNamedWithBothViews() {
    lose(
        LONG,
        world -> {
          try (Tensor tensor = numbers(1, 2, 3)) {
            if (world.rank() == 1) {
              world.agreement().barrier();
            } else {
              world.allReduce(tensor);
            }
          }
        },
        "rank 0 is in all-reduce of 3 × float32 in world, but rank 1 in barrier in world");
  }

  @Test
  void differentSizesAreNamed() {
    lose(
        LONG,
        world -> {
          try (Tensor tensor = numbers(new double[6 + world.rank()])) {
            world.allReduce(tensor);
          }
        },
        "all-reduce of 6 × float32 in world, but rank 1 in all-reduce of 7 × float32 in world");
  }

  @Test
  void differentRootsAreNamed() {
    lose(
        LONG,
        world -> {
          try (Tensor tensor = numbers(6)) {
            world.broadcast(tensor, world.rank());
          }
        },
        "broadcast of 1 × float32 of rank 0 in world, but rank 1 in broadcast of 1 × float32 of"
            + " rank 1");
  }

  @Test
  void aCountThatTheOtherDoesNotShareIsNamed() {
    lose(
        LONG,
        world -> {
          long[] send = {1, 1};
          long[] receive = {1, world.rank() == 0 ? 2 : 1};
          try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
            world.allToAll(numbers(1, 2), send, numbers(0, 0, 0), receive).join();
            world.agreement().barrier(); // rank 1 has all that it expected
          }
        },
        "rank 1 sends 1 rows to rank 0, which expects 2");
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 100_000})
  void aMessageOfAnotherShapeIsNamed(int length) {
    lose(
        LONG,
        world -> {
          try (Tensor tensor = Tensors.zeros(Dtype.FLOAT32, Device.CPU, length + world.rank())) {
            if (world.rank() == 0) {
              world.send(tensor, 1).join();
            } else {
              world.receive(tensor, 0).join();
            }
          }
        },
        "rank 1 expects float32[" + (length + 1) + "] from rank 0, which sends float32[" + length);
  }

  @Test
  void whoWaitsForARankThatHasFinishedLearnsIt() {
    List<@Nullable Throwable> ends =
        TestProcesses.run(
            2,
            1,
            LONG,
            world -> {
              if (world.rank() == 1) {
                try (Tensor tensor = numbers(1)) {
                  world.receive(tensor, 0).join();
                }
              }
            });
    String reason =
        "rank 0 has finished, but rank 1 waits for it in receive of 1 × float32 from rank 0";
    assertThat(ends.get(1)).hasMessageContaining(reason);
    Throwable first = ends.get(0); // its part was done, and it may go before it hears of the rest
    if (first != null) {
      assertThat(first).hasMessageContaining(reason);
    }
  }

  @Test
  void anAbortReleasesEveryGroup() {
    lose(
        LONG,
        world -> {
          try (Communicator group = world.split("group", 0, world.rank())) {
            if (world.rank() == 0) {
              world.abort("the loss is not a number");
            } else {
              group.agreement().barrier();
            }
          }
        },
        "the loss is not a number");
  }

  /** What a rank fails with says more than the reason that it gave when it ended the exchange. */
  @Test
  void theCauseFollowsAnAbort() {
    List<@Nullable Throwable> ends =
        TestProcesses.run(
            2,
            1,
            LONG,
            world -> {
              if (world.rank() == 0) {
                try (Tensor tensor = Tensors.zeros(Dtype.FLOAT32, Device.CPU, 1 << 20)) {
                  world.send(tensor, 1);
                  world.abort("rank 0 gives up");
                }
                throw new IllegalStateException("the cause");
              }
              try (Tensor tensor = Tensors.zeros(Dtype.FLOAT32, Device.CPU, 1 << 20)) {
                Thread.sleep(200);
                world.receive(tensor, 0).join();
              }
            });
    assertThat(ends.get(0)).isInstanceOf(IllegalStateException.class).hasMessage("the cause");
    // The other process has heard the reason, and perhaps the cause too.
    assertThat(ends.get(1)).hasMessageMatching("rank 0 failed \\((rank 0 gives up|the cause)\\).*");
  }

  /** Rank 1 is alive but late: the message says what it does instead. */
  @Test
  void aLateRankIsNamedWithWhatItDoes() {
    lose(
        SHORT,
        world -> {
          world.agreement().barrier();
          if (world.rank() == 1) {
            Thread.sleep(4 * SHORT.toMillis());
          }
          try (Tensor tensor = numbers(1)) {
            world.allReduce(tensor);
          }
        },
        "rank 0 is in all-reduce of 1 × float32 in world and has waited 0.8 s for rank 1",
        "rank 1 computes; its last call was barrier in world",
        "launch.timeout");
  }

  /** Nobody calls what the other waits for, in groups that do not meet: the chain is named. */
  @Test
  void ranksThatWaitForEachOtherAreNamedInTheirOrder() {
    List<@Nullable Throwable> ends =
        TestProcesses.run(
            3,
            1,
            SHORT,
            world -> {
              try (Tensor tensor = numbers(1);
                  Communicator pair =
                      world.group("pair", world.rank() == 2 ? List.of(2) : List.of(0, 1))) {
                switch (world.rank()) {
                  case 0 -> pair.allReduce(tensor);
                  case 1 -> world.receive(tensor, 2).join();
                  default -> world.agreement().barrier();
                }
              }
            });
    // Which of them gives up first is open; all say the same, and who is where.
    for (Throwable end : ends) {
      assertThat(end)
          .hasMessageContaining("has waited 0.8 s for rank")
          .hasMessageContaining("rank 0 is in all-reduce of 1 × float32 in pair group of ranks 0,1")
          .hasMessageContaining("rank 1 is in receive of 1 × float32 from rank 2 in world")
          .hasMessageContaining("rank 2 is in barrier in world");
    }
    assertThat(ends.stream().map(String::valueOf).distinct()).hasSize(1);
  }

  /** In whatever a rank of a group comes to harm, messages have the world's numbers. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "late | rank 1 is in all-reduce of 1 × float32 in tensor group of ranks 1,3 (layer 7) and"
            + " has waited 0.8 s for rank 3; rank 3 computes; its last call was",
        "other | in barrier in tensor group of ranks 1,3 (layer 7)",
        "finished | rank 3 has finished, but rank 1 waits for it in all-reduce of 1 × float32 in"
            + " tensor group of ranks 1,3 (layer 7)",
        "message | rank 1 expects float32[1] from rank 3, which sends float32[2] in receive of 1 ×"
            + " float32 from rank 3 in tensor group of ranks 1,3 (layer 7)",
      })
  void aGroupIsNamedWithTheWorldsNumbersAndItsBlock(String harm, String text) {
    List<@Nullable Throwable> ends = TestProcesses.run(4, 1, SHORT, world -> inPairs(world, harm));
    assertThat(ends).anySatisfy(end -> assertThat(end).hasMessageContaining(text));
  }

  private static void inPairs(Communicator world, String harm) throws InterruptedException {
    int first = world.rank() % 2;
    try (Purpose _ = Purpose.of("layer 7");
        Tensor values = numbers(1);
        Tensor more = numbers(1, 2);
        Communicator pair = world.group("tensor", List.of(first, first + 2))) {
      pair.allReduce(values);
      if (world.rank() == 3) {
        switch (harm) {
          case "late" -> Thread.sleep(4 * SHORT.toMillis());
          case "other" -> pair.agreement().barrier();
          case "message" -> pair.send(more, 0).join();
          default -> {}
        }
      } else if (harm.equals("message") && world.rank() == 1) {
        pair.receive(values, 1).join();
      } else if (world.rank() == 1) {
        pair.allReduce(values);
      }
    }
  }

  /** A transfer that takes longer than the limit goes on as long as something arrives. */
  @Test
  void progressIsNoStandstill() {
    CyclicBarrier allocated = new CyclicBarrier(2);
    assertThat(
            TestProcesses.run(
                2,
                1,
                Duration.ofMillis(700),
                world -> {
                  try (Tensor tensor = Tensors.zeros(Dtype.FLOAT32, Device.CPU, 64 << 20)) {
                    await(allocated); // one that allocates for longer than the limit is late
                    for (int i = 0; i < 3; i++) {
                      world.allReduce(tensor);
                    }
                  }
                }))
        .containsOnlyNulls();
  }

  private static void await(CyclicBarrier barrier) {
    try {
      barrier.await();
    } catch (InterruptedException | BrokenBarrierException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void succeeds(RankBody body) {
    assertThat(TestProcesses.run(2, 1, LONG, body)).containsOnlyNulls();
    assertThat(TestProcesses.run(1, 2, LONG, body)).containsOnlyNulls();
  }

  /** Two processes end with the same message, which holds all {@code texts}. */
  private static void lose(Duration limit, RankBody body, String... texts) {
    List<@Nullable Throwable> ends = TestProcesses.run(2, 1, limit, body);
    assertThat(ends)
        .allSatisfy(
            end ->
                assertThat(end)
                    .isInstanceOfSatisfying(
                        DuokaException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.RANK_LOST)));
    for (Throwable end : ends) {
      assertThat(end == null ? "" : end.getMessage()).contains(texts);
    }
  }
}
