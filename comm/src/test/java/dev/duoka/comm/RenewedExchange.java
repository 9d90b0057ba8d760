package dev.duoka.comm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.testing.TestDevice;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What holds of ranks that exchange again after one of them has failed, however they exchange. */
@Timeout(60)
public abstract class RenewedExchange {
  private static final int RANKS = 3;
  private static final int PATIENCE_SECONDS = 40;

  /** Runs three ranks, and throws what has ended them, if anything did. */
  protected abstract void run(RankBody body);

  private static Tensor ofRank(int rank, int length) {
    return Tensors.full(1 << rank, Dtype.FLOAT32, TestDevice.current(), length);
  }

  private static float sum(Communicator ranks, int rank) {
    return sum(ranks, rank, 4);
  }

  private static float sum(Communicator ranks, int rank, int length) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor tensor = ofRank(rank, length);
      ranks.allReduce(tensor).join();
      return HostCopy.floats(tensor)[length - 1];
    }
  }

  /**
   * Waits beside all exchange until every rank is here: a rank that fails may do so before the
   * others have what it took part in, and they lose that too.
   */
  protected static void meet(CyclicBarrier ranks) {
    try {
      ranks.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
      throw new IllegalStateException("a rank does not come", e);
    }
  }

  private static IllegalStateException own() {
    return new IllegalStateException("the disk is full");
  }

  /** What the others get, who wait for rank 2. */
  private static void loseRank(Communicator world) {
    loseRank(world, 4);
  }

  private static void loseRank(Communicator world, int length) {
    assertThatThrownBy(() -> sum(world, world.rank(), length))
        .isInstanceOf(DuokaException.class)
        .extracting(e -> ((DuokaException) e).code())
        .isEqualTo(ErrorCode.RANK_LOST);
  }

  /** Rank 0 waits in the world, rank 1 in a part of it with a message on its way to rank 2. */
  @ParameterizedTest
  @CsvSource({"1, 4", "2, 4", "5, 4", "2, 300001"})
  void allExchangeAgain(int times, int length) {
    CyclicBarrier all = new CyclicBarrier(RANKS);
    run(
        world -> {
          int rank = world.rank();
          Communicator part = world.split("part", rank == 0 ? 0 : 1, rank);
          for (int i = 0; i < times; i++) {
            assertThat(sum(world, rank, length)).isEqualTo(7);
            meet(all);
            if (rank == 2) {
              world.abort("it is about to say why");
            } else if (rank == 1) {
              try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
                world.send(ofRank(5, length), 2);
                loseRank(part, length);
              } catch (DuokaException e) {
                assertThat(e.code()).isEqualTo(ErrorCode.RANK_LOST);
              }
            } else {
              loseRank(world, length);
            }
            assertThat(world.renew(rank == 2 ? own() : null, true)).isTrue();
            assertThat(world.failure()).isNull();
            assertThat(sum(part, rank, length)).isEqualTo(rank == 0 ? 1 : 6);
            try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
              if (rank == 1) {
                world.send(ofRank(3, length), 2).join();
              } else if (rank == 2) {
                Tensor came = ofRank(0, length);
                world.receive(came, 1).join();
                assertThat(HostCopy.floats(came)[0]).as("not what was sent before").isEqualTo(8);
              }
            }
            meet(all);
          }
          assertThat(sum(world, rank, length)).isEqualTo(7);
        });
  }

  /** Rank 2 fails in the middle of its own exchange, when the others have begun to read it. */
  @ParameterizedTest
  @CsvSource({"4", "300001"})
  void whoHasTheFirstHalfOfASumBeginsAgainToo(int length) {
    CyclicBarrier all = new CyclicBarrier(RANKS);
    run(
        world -> {
          int rank = world.rank();
          for (int i = 0; i < 3; i++) {
            try (Communicator pair = world.split("pair", rank == 1 ? 1 : 0, rank)) {
              sum(pair, rank, length); // rank 1 is ahead of the others
              meet(all);
              if (rank == 2) {
                assertThat(world.renew(own(), true)).isTrue();
              } else {
                loseRank(world, length);
                assertThat(world.renew(null, true)).isTrue();
              }
              assertThat(sum(world, rank, length)).isEqualTo(7);
              double[] numbers = {rank, 1};
              world.agreement().sum(numbers);
              assertThat(numbers).containsExactly(3, 3);
              assertThat(sum(pair, rank, length)).isEqualTo(rank == 1 ? 2 : 5);
              meet(all);
            }
          }
        });
  }

  private List<Boolean> renewals(boolean[] willing, @Nullable RuntimeException own) {
    List<Boolean> renewals = new CopyOnWriteArrayList<>();
    assertThatThrownBy(
            () ->
                run(
                    world -> {
                      if (world.rank() == 2) {
                        world.abort("it will not");
                      } else {
                        loseRank(world);
                      }
                      renewals.add(
                          world.renew(world.rank() == 2 ? own : null, willing[world.rank()]));
                      sum(world, world.rank());
                    }))
        .isInstanceOf(RuntimeException.class);
    return renewals;
  }

  @Test
  void oneUnwillingRankEndsAll() {
    for (int unwilling = 0; unwilling < RANKS; unwilling++) {
      boolean[] willing = {unwilling != 0, unwilling != 1, unwilling != 2};
      assertThat(renewals(willing, own())).containsExactly(false, false, false);
    }
  }

  @Test
  void whereNobodyHasFailedByItselfNothingBeginsAgain() {
    assertThat(renewals(new boolean[] {true, true, true}, null))
        .containsExactly(false, false, false);
  }

  @Test
  void aRankThatEndsEndsAll() {
    List<Boolean> renewals = new CopyOnWriteArrayList<>();
    assertThatThrownBy(
            () ->
                run(
                    world -> {
                      if (world.rank() == 2) {
                        throw own();
                      }
                      loseRank(world);
                      renewals.add(world.renew(null, true));
                    }))
        .hasMessage("the disk is full");
    assertThat(renewals).containsExactly(false, false);
  }

  /** So it is where the failure was in the rank's own part of an exchange. */
  @Test
  void whatARankMakesOfItsFailureInAnExchangeIsReported() {
    assertThatThrownBy(
            () ->
                run(
                    world -> {
                      int rank = world.rank();
                      RuntimeException own = failure(world, rank == 2 ? 1 : 2);
                      if (rank == 2) {
                        assertThat(own).isNotNull();
                        assertThat(world.renew(own, false)).isFalse();
                        throw new DuokaException(
                            ErrorCode.IO, "rank 2 counts what it can do", "Do it", own);
                      }
                      loseRank(world);
                      assertThat(world.renew(null, true)).isFalse();
                    }))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("rank 2 counts what it can do");
  }

  /**
   * Exchanges rows of two numbers.
   *
   * @param width of the rows that this rank has room for
   */
  private static @Nullable RuntimeException failure(Communicator world, int width) {
    long[] rows = {1, 1, 1};
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor sent = Tensors.zeros(Dtype.FLOAT32, TestDevice.current(), RANKS, 2);
      Tensor room = Tensors.zeros(Dtype.FLOAT32, TestDevice.current(), RANKS, width);
      world.allToAll(sent, rows, room, rows).join();
      return null;
    } catch (RuntimeException e) {
      return e;
    }
  }

  /** Who cannot begin again says more of its failure as it ends: that is what is reported. */
  @Test
  void whatARankMakesOfItsFailureIsReported() {
    assertThatThrownBy(
            () ->
                run(
                    world -> {
                      if (world.rank() == 2) {
                        IllegalStateException own = own();
                        assertThat(world.renew(own, false)).isFalse();
                        throw new DuokaException(
                            ErrorCode.IO, "rank 2 cannot write", "Make room", own);
                      }
                      loseRank(world);
                      assertThat(world.renew(null, true)).isFalse();
                    }))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("rank 2 cannot write");
  }
}
