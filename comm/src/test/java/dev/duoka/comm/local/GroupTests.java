package dev.duoka.comm.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.Pending;
import dev.duoka.comm.RankBody;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.testing.LedgerSnapshot;
import dev.duoka.tensor.testing.TestDevice;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Groups, messages and rows for each rank. */
@Timeout(60)
class GroupTests {
  private static final Device DEVICE = TestDevice.current();

  private static Tensor numbers(double... values) {
    return HostCopy.fromDoubles(values, Dtype.FLOAT32, DEVICE, values.length);
  }

  @Test
  void aGroupSumsAmongItself() {
    LocalRanks.run(
        4,
        world -> {
          // Ranks 0 and 2, 1 and 3; within a group the order of the keys.
          try (Communicator pairs = world.split("pairs", world.rank() % 2, -world.rank());
              Communicator alone = world.split("alone", world.rank(), 0);
              Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
            assertThat(pairs.size()).isEqualTo(2);
            assertThat(pairs.rank()).isEqualTo(world.rank() < 2 ? 1 : 0);
            assertThat(pairs.name()).isEqualTo("pairs");
            assertThat(alone.size()).isEqualTo(1);
            for (int round = 0; round < 3; round++) {
              Tensor mine = numbers(world.rank());
              pairs.allReduce(mine).join();
              assertThat(HostCopy.item(mine)).isEqualTo(world.rank() % 2 == 0 ? 2 : 4);
              alone.allReduce(mine).join();
              world.allReduce(mine).join();
              assertThat(HostCopy.item(mine)).isEqualTo(12);
              assertThat(pairs.agreement().any(world.rank() == 3)).isEqualTo(world.rank() % 2 == 1);
            }
          }
        });
  }

  @Test
  void rowsGoToEachRankByCount() {
    long[][] counts = {{1, 0, 2}, {3, 1, 0}, {0, 2, 2}};
    LocalRanks.run(
        3,
        world -> {
          int rank = world.rank();
          List<Double> rows = new ArrayList<>();
          List<Double> expected = new ArrayList<>();
          for (int to = 0; to < 3; to++) {
            for (int i = 0; i < counts[rank][to]; i++) {
              rows.add(100.0 * rank + 10 * to + i);
            }
          }
          long[] receive = new long[3];
          for (int from = 0; from < 3; from++) {
            receive[from] = counts[from][rank];
            for (int i = 0; i < counts[from][rank]; i++) {
              expected.add(100.0 * from + 10 * rank + i);
            }
          }
          try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
            Tensor send = numbers(rows.stream().mapToDouble(Double::doubleValue).toArray());
            Tensor received = Tensors.zeros(Dtype.FLOAT32, DEVICE, expected.size());
            world.allToAll(send, counts[rank], received, receive).join();
            assertThat(HostCopy.doubles(received))
                .containsExactly(expected.stream().mapToDouble(Double::doubleValue).toArray());
          }
        });
  }

  @Test
  void aCountThatTheOtherDoesNotShareIsNamed() {
    loses(
        world -> {
          long[] send = {1, 1};
          long[] receive = {1, world.rank() == 0 ? 2 : 1};
          try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
            world.allToAll(numbers(1, 2), send, numbers(0, 0, 0), receive).join();
          }
        },
        "rank 1 sends 1 rows to rank 0, which expects 2");
  }

  /** The rank that sees it frees its tensors while the others still copy from them. */
  @Test
  void aRankThatFailsStaysUntilNobodyReadsIt() {
    for (int round = 0; round < 20; round++) {
      loses(
          3,
          world -> {
            long[] rows = {1 << 18, 1 << 18, 1 << 18};
            long[] receive = rows.clone();
            if (world.rank() == 0) {
              receive[2]++;
            }
            try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
              Tensor send = Tensors.zeros(Dtype.FLOAT32, DEVICE, 3 << 18);
              Tensor received = Tensors.zeros(Dtype.FLOAT32, DEVICE, (3 << 18) + 1);
              world.allToAll(send, rows, received, receive).join();
            }
          },
          "rank 2 sends 262144 rows to rank 0, which expects 262145");
    }
  }

  /** A message of a rank that has failed is not read, and the cause is what is reported. */
  @Test
  void aRankThatFailsTakesItsMessagesWithIt() {
    assertThatThrownBy(
            () ->
                LocalRanks.run(
                    2,
                    world -> {
                      if (world.rank() == 0) {
                        try (Tensor tensor = numbers(1)) {
                          world.send(tensor, 1);
                          world.abort("rank 0 gives up");
                        }
                        throw new IllegalStateException("the cause");
                      }
                      try (Tensor tensor = numbers(0)) {
                        Thread.sleep(200);
                        world.receive(tensor, 0).join();
                      }
                    }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the cause");
  }

  @Test
  void aLedgerThatCannotBeMadeStopsAllRanks() {
    assertThatThrownBy(
            () ->
                LocalRanks.run(
                    2,
                    rank -> {
                      if (rank == 1) {
                        throw new IllegalStateException("no ledger");
                      }
                      return ExchangeLedger.NONE;
                    },
                    world -> world.agreement().barrier()))
        .hasMessage("no ledger");
  }

  @Test
  void theFirstReceptionGetsTheFirstMessage() {
    LocalRanks.run(
        2,
        world -> {
          try (Tensor one = numbers(1);
              Tensor two = numbers(2)) {
            if (world.rank() == 0) {
              Pending first = world.send(one, 1);
              world.send(two, 1).join();
              first.join();
            } else {
              Pending first = world.receive(two, 0);
              Pending second = world.receive(one, 0);
              second.join();
              first.join();
              assertThat(HostCopy.item(two)).isEqualTo(1);
              assertThat(HostCopy.item(one)).isEqualTo(2);
            }
          }
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void everyRankGetsTheRootsTensor(int root) {
    LocalRanks.run(
        3,
        world -> {
          try (Tensor tensor = numbers(world.rank(), 7)) {
            world.broadcast(tensor, root).join();
            assertThat(HostCopy.doubles(tensor)).containsExactly(root, 7);
          }
        });
  }

  /** Both send first: nobody may wait for the other before it has received. */
  @Test
  void neighboursSwapInOrder() {
    LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
    LocalRanks.run(
        2,
        world -> {
          int other = 1 - world.rank();
          try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
            for (int round = 0; round < 20; round++) {
              Tensor first = numbers(world.rank(), round);
              Tensor second = numbers(world.rank(), -round);
              Pending one = world.send(first, other);
              Pending two = world.send(second, other);
              Tensor received = numbers(9, 9);
              world.receive(received, other).join();
              assertThat(HostCopy.doubles(received)).containsExactly(other, round);
              Pending reception = world.receive(received, other);
              reception.join();
              assertThat(reception.isDone()).isTrue();
              assertThat(HostCopy.doubles(received)).containsExactly(other, -round);
              one.join();
              two.join();
              two.join(); // a second time does nothing
              assertThat(one.isDone()).isTrue();
            }
          }
        });
    before.assertUnchanged();
  }

  @Test
  void aTensorOfAnotherShapeIsNamed() {
    loses(
        world -> {
          try (Tensor tensor = numbers(new double[world.rank() == 0 ? 2 : 3])) {
            if (world.rank() == 0) {
              world.send(tensor, 1).join();
            } else {
              world.receive(tensor, 0).join();
            }
          }
        },
        "rank 1 expects",
        "from rank 0, which sends");
  }

  @Test
  void whoWaitsForAMessageLearnsThatItsSenderIsGone() {
    loses(
        world -> {
          if (world.rank() == 1) {
            try (Tensor tensor = numbers(1)) {
              world.receive(tensor, 0).join();
            }
          }
        },
        "rank 0 has finished");
  }

  /** An abort ends waits in every group, with its reason. */
  @Test
  void anAbortReleasesEveryGroup() {
    loses(
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

  private static void loses(RankBody body, String... texts) {
    loses(2, body, texts);
  }

  private static void loses(int ranks, RankBody body, String... texts) {
    assertThatThrownBy(() -> LocalRanks.run(ranks, body))
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.RANK_LOST))
        .satisfies(e -> assertThat(e.getMessage()).contains(texts));
  }
}
