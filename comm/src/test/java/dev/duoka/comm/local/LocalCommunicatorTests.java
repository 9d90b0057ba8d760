package dev.duoka.comm.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.Purpose;
import dev.duoka.comm.RankBody;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.LedgerSnapshot;
import dev.duoka.tensor.testing.TestDevice;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class LocalCommunicatorTests {
  private static final Device DEVICE = TestDevice.current();

  /** What rank {@code rank} contributes: numbers whose sum depends on the order of addition. */
  private static Tensor part(int rank, long length) {
    return new Inputs(160 + rank, Dtype.FLOAT32, DEVICE).normal(length);
  }

  /** The sum in the order of the ranks, in fp32. */
  private static float[] sum(int ranks, int length) {
    float[] sum = new float[length];
    for (int rank = 0; rank < ranks; rank++) {
      try (Tensor part = part(rank, length)) {
        float[] values = HostCopy.floats(part);
        for (int i = 0; i < length; i++) {
          sum[i] = rank == 0 ? values[i] : sum[i] + values[i];
        }
      }
    }
    return sum;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void allReduceGivesAllRanksTheSameBits(int ranks) {
    LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
    float[] expected = sum(ranks, 1001);
    LocalRanks.run(
        ranks,
        world -> {
          for (int round = 0; round < 5; round++) {
            try (Tensor tensor = part(world.rank(), 1001)) {
              world.allReduce(tensor);
              assertThat(HostCopy.floats(tensor)).isEqualTo(expected);
            }
          }
        });
    before.assertUnchanged();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void reduceScatterAndAllGather(int ranks) {
    float[] expected = sum(ranks, 12 * ranks);
    LocalRanks.run(
        ranks,
        world -> {
          int rank = world.rank();
          try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
            // Into a tensor of its own.
            Tensor shard = Tensors.empty(Dtype.FLOAT32, DEVICE, 12);
            world.reduceScatter(part(rank, 12L * ranks), shard);
            float[] mine = Arrays.copyOfRange(expected, 12 * rank, 12 * rank + 12);
            assertThat(HostCopy.floats(shard)).isEqualTo(mine);
            // In place.
            Tensor full = part(rank, 12L * ranks);
            Tensor place = Views.narrow(full, 0, 12L * rank, 12);
            world.reduceScatter(full, place);
            assertThat(HostCopy.floats(place)).isEqualTo(mine);
            // And back, from elsewhere and in place.
            Tensor gathered = Tensors.zeros(Dtype.FLOAT32, DEVICE, 12L * ranks);
            world.allGather(shard, gathered);
            assertThat(HostCopy.floats(gathered)).isEqualTo(expected);
            world.allGather(place, full);
            assertThat(HostCopy.floats(full)).isEqualTo(expected);
          }
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4})
  void numbersAndBarriers(int ranks) {
    AtomicInteger arrived = new AtomicInteger();
    LocalRanks.run(
        ranks,
        world -> {
          assertThat(world.size()).isEqualTo(ranks);
          for (int round = 1; round <= 20; round++) {
            double[] values = {world.rank(), 0.5, round};
            world.agreement().sum(values);
            assertThat(values)
                .containsExactly(ranks * (ranks - 1) / 2.0, 0.5 * ranks, (double) round * ranks);
            arrived.incrementAndGet();
            world.agreement().barrier();
            assertThat(arrived.get()).isGreaterThanOrEqualTo(round * ranks);
            world.agreement().barrier();
          }
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void aFailingRankReleasesTheOthers(int failing) {
    AtomicInteger lost = new AtomicInteger();
    assertThatThrownBy(
            () ->
                LocalRanks.run(
                    3,
                    world -> {
                      world.agreement().barrier();
                      if (world.rank() == failing) {
                        throw new UnsupportedOperationException("no more memory");
                      }
                      try (Tensor tensor = part(0, 8)) {
                        world.allReduce(tensor);
                      } catch (DuokaException e) {
                        assertThat(e.code()).isEqualTo(ErrorCode.RANK_LOST);
                        assertThat(e).hasMessageContaining("rank " + failing + " failed");
                        assertThat(e).hasMessageContaining("no more memory");
                        assertThatThrownBy(world.agreement()::barrier)
                            .isInstanceOf(DuokaException.class);
                        lost.incrementAndGet();
                        throw e;
                      }
                    }))
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessage("no more memory");
    assertThat(lost).hasValue(2);
  }

  @Test
  void ofASingleRankTheFailureIsItsOwn() {
    assertThatThrownBy(
            () ->
                LocalRanks.run(
                    1,
                    _ -> {
                      throw new IOException("disk");
                    }))
        .hasRootCauseMessage("disk");
  }

  @Test
  void aRankThatFinishesEarlyDoesNotLeaveTheOthersWaiting() {
    loses(
        world -> {
          if (world.rank() != 1) {
            world.agreement().barrier();
          }
        },
        "rank 1 has finished");
  }

  @Test
  void differentCollectivesAreNamed() {
    loses(
        world -> {
          try (Tensor tensor = part(0, 6)) {
            if (world.rank() == 0) {
              world.allReduce(tensor);
            } else {
              world.agreement().barrier();
            }
          }
        },
        "all-reduce of 6 × float32",
        "in barrier");
  }

  @Test
  void differentSizesAreNamed() {
    loses(
        world -> {
          world.agreement().sum(new double[3]);
          try (Tensor tensor = part(0, world.rank() == 0 ? 6 : 7)) {
            world.allReduce(tensor);
          }
        },
        "all-reduce of 6 × float32",
        "all-reduce of 7 × float32");
  }

  private static void loses(RankBody body, String... texts) {
    assertThatThrownBy(() -> LocalRanks.run(3, body))
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.RANK_LOST))
        .satisfies(e -> assertThat(e.getMessage()).contains(texts));
  }

  /**
   * In a collective, at a message, and by a rank that never ends: each is named, and run returns.
   */
  @ParameterizedTest
  @ValueSource(strings = {"collective", "receive", "send", "agreement"})
  void aRankThatStandsStillIsNamedWithinTheLimit(String kind) {
    CountDownLatch never = new CountDownLatch(1);
    try {
      assertThatThrownBy(
              () ->
                  LocalRanks.run(
                      3,
                      Duration.ofMillis(1500),
                      _ -> ExchangeLedger.NONE,
                      world -> {
                        Tensor values = Tensors.full(1, Dtype.FLOAT32, Device.CPU, 4);
                        world.allReduce(values).join();
                        if (world.rank() == 1) {
                          never.await();
                        }
                        switch (kind) {
                          case "collective" -> world.allReduce(values).join();
                          case "agreement" -> world.agreement().barrier();
                          case "send" -> world.send(values, 1).join();
                          default -> world.receive(values, 1).join();
                        }
                      }))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("has waited 1 s in")
          .hasMessageContaining("for rank 1, which is behind all-reduce of 4 × float32 in world")
          .hasMessageContaining("LocalCommunicatorTests");
    } finally {
      never.countDown();
    }
  }

  /** In whatever a rank of a group comes to harm, messages have the world's numbers. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "late | rank 1 has waited 1 s in all-reduce of 4 × float32 in tensor group of ranks 1,3"
            + " (layer 7) for rank 3, which is behind all-reduce",
        "other | in barrier in tensor group of ranks 1,3 (layer 7)",
        "finished | rank 3 has finished, but rank 1 waits for it in all-reduce of 4 × float32 in"
            + " tensor group of ranks 1,3 (layer 7)",
        "message | rank 1 expects float32[4]@cpu from rank 3, which sends float32[5]@cpu",
        "message | in receive of 4 × float32 from rank 3 in tensor group of ranks 1,3 (layer 7)",
      })
  void aGroupIsNamedWithTheWorldsNumbersAndItsBlock(String harm, String text) {
    CountDownLatch never = new CountDownLatch(1);
    try {
      assertThatThrownBy(
              () ->
                  LocalRanks.run(
                      4,
                      Duration.ofMillis(1500),
                      _ -> ExchangeLedger.NONE,
                      world -> inPairs(world, harm, never)))
          .hasMessageContaining(text);
    } finally {
      never.countDown();
    }
  }

  private static void inPairs(Communicator world, String harm, CountDownLatch never)
      throws InterruptedException {
    int first = world.rank() % 2;
    try (Purpose _ = Purpose.of("layer 7");
        Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        Communicator pair = world.group("tensor", List.of(first, first + 2))) {
      Tensor values = Tensors.full(1, Dtype.FLOAT32, Device.CPU, 4);
      pair.allReduce(values).join();
      if (world.rank() == 3) {
        switch (harm) {
          case "late" -> never.await();
          case "other" -> pair.agreement().barrier();
          case "message" -> pair.send(Tensors.full(1, Dtype.FLOAT32, Device.CPU, 5), 0).join();
          default -> {}
        }
      } else if (harm.equals("message") && world.rank() == 1) {
        pair.receive(values, 1).join();
      } else {
        pair.allReduce(values).join();
      }
    }
  }
}
