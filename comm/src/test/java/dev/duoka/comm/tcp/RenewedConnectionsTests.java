package dev.duoka.comm.tcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.Pending;
import dev.duoka.comm.RankBody;
import dev.duoka.comm.RenewedExchange;
import dev.duoka.comm.launch.TestProcesses;
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
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ranks of several processes. */
final class RenewedConnectionsTests extends RenewedExchange {
  private static final int CALLS = 6;
  private static final Duration LONG = Duration.ofSeconds(30);

  @Override
  protected void run(RankBody body) {
    List<@Nullable Throwable> ends = TestProcesses.run(3, 1, LONG, body);
    // The process in which it happened has what was thrown; the others have words.
    Throwable own =
        ends.stream()
            .filter(Objects::nonNull)
            .filter(end -> !String.valueOf(end.getMessage()).contains("so the other ranks stop"))
            .findFirst()
            .orElse(null);
    if (own instanceof RuntimeException e) {
      throw e;
    } else if (own instanceof Error e) {
      throw e;
    }
    assertThat(ends).containsOnlyNulls();
  }

  /** Two processes of two ranks each, of which one has failed, again and again. */
  @Test
  void ranksOfOneProcessAndOthersBeginAgain() {
    LedgerSnapshot before = LedgerSnapshot.of(Device.CPU);
    AtomicInteger renewed = new AtomicInteger();
    CyclicBarrier all = new CyclicBarrier(4);
    assertThat(
            TestProcesses.run(
                2,
                2,
                LONG,
                world -> {
                  for (int failing = 0; failing < 4; failing++) {
                    IllegalStateException own = null;
                    try (Tensor tensor = Tensors.full(1, Dtype.FLOAT32, Device.CPU, 50_000)) {
                      world.allReduce(tensor).join();
                      meet(all);
                      if (world.rank() == failing) {
                        own = new IllegalStateException("no memory");
                      } else {
                        assertThatThrownBy(() -> world.allReduce(tensor))
                            .isInstanceOf(DuokaException.class)
                            .hasMessageContaining("rank " + failing + " failed (no memory)");
                      }
                    }
                    assertThat(world.renew(own, true)).isTrue();
                    renewed.incrementAndGet();
                  }
                  try (Tensor tensor = Tensors.full(1, Dtype.FLOAT32, Device.CPU, 50_000)) {
                    world.allReduce(tensor).join();
                    assertThat(HostCopy.floats(tensor)).containsOnly(4);
                  }
                }))
        .containsOnlyNulls();
    assertThat(renewed).hasValue(16);
    before.assertUnchanged();
  }

  /** One or two ranks fail anywhere among all sorts of exchanges, and the others come when late. */
  @ParameterizedTest
  @CsvSource({"4, 1", "2, 2"})
  void whereverRanksFailAllBeginAgain(int processes, int ranksEach) {
    int ranks = processes * ranksEach;
    CyclicBarrier all = new CyclicBarrier(ranks);
    assertThat(
            TestProcesses.run(
                processes,
                ranksEach,
                LONG,
                world -> {
                  Random shared = new Random(7);
                  Random own = new Random(world.rank());
                  Communicator half = world.split("half", world.rank() % 2, world.rank());
                  for (int round = 0; round < 8; round++) {
                    List<Integer> failing =
                        List.of(shared.nextInt(ranks), shared.nextInt(2 * ranks));
                    int at = shared.nextInt(CALLS);
                    long length = shared.nextBoolean() ? 7 : 200_003;
                    boolean fails = failing.contains(world.rank());
                    IllegalStateException mine =
                        exchange(world, half, own, length, fails ? at : CALLS);
                    assertThat(world.renew(mine, true)).as("round %d", round).isTrue();
                    meet(all); // nobody ends while others decide
                  }
                }))
        .containsOnlyNulls();
  }

  /**
   * A round of exchanges, in which some rank fails.
   *
   * @param fails before which of them this rank fails
   * @return what it fails with; null where it was told that another one has failed
   */
  private static @Nullable IllegalStateException exchange(
      Communicator world, Communicator half, Random own, long length, int fails)
      throws InterruptedException {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      for (int call = 0; call < CALLS; call++) {
        if (call == fails) {
          if (own.nextBoolean()) {
            world.abort("it is about to say why");
          }
          return new IllegalStateException("no memory");
        }
        Tensor tensor = Tensors.full(1, Dtype.FLOAT32, Device.CPU, length);
        Communicator group = call % 2 == 0 ? world : half;
        if (call % 3 == 2) {
          int partner = world.rank() ^ 1;
          Pending comes = world.receive(Tensors.zeros(Dtype.FLOAT32, Device.CPU, length), partner);
          Pending goes = world.send(tensor, partner);
          comes.join();
          goes.join();
        } else {
          group.allReduce(tensor).join();
          assertThat(HostCopy.floats(tensor)[(int) length - 1]).isEqualTo(group.size());
        }
        Thread.sleep(own.nextInt(10));
      }
      world.agreement().barrier(); // who needed nobody learns of it here
      throw new AssertionError("no rank has failed");
    } catch (DuokaException e) {
      assertThat(e.code()).isEqualTo(ErrorCode.RANK_LOST);
      return null;
    }
  }

  /** Its process knows, and the others hear it: nobody waits for the limit. */
  @Test
  void aRankThatEndsBesideOneThatWouldGoOnEndsAll() {
    AtomicInteger refused = new AtomicInteger();
    List<@Nullable Throwable> ends =
        TestProcesses.run(
            2,
            2,
            LONG,
            world -> {
              if (world.rank() == 3) {
                throw new IllegalStateException("the disk is full");
              }
              assertThatThrownBy(world.agreement()::barrier).isInstanceOf(DuokaException.class);
              if (!world.renew(null, true)) {
                refused.incrementAndGet();
              }
            });
    assertThat(refused).hasValue(3);
    assertThat(ends.get(0)).hasMessageContaining("rank 3 failed (the disk is full)");
    assertThat(ends.get(1)).hasMessage("the disk is full");
  }

  /** A rank that was waited for in vain has not failed by itself: nobody waits for it again. */
  @Test
  void whoIsLateIsNotWaitedForOnceMore() {
    AtomicInteger refused = new AtomicInteger();
    Duration limit = Duration.ofMillis(800);
    CyclicBarrier all = new CyclicBarrier(2);
    TestProcesses.run(
        2,
        1,
        limit,
        world -> {
          meet(all); // so that the limit is short for what follows alone
          if (world.rank() == 1) {
            Thread.sleep(4 * limit.toMillis());
          }
          assertThatThrownBy(world.agreement()::barrier)
              .isInstanceOf(DuokaException.class)
              .hasMessageMatching("(?s).*has waited .* for rank 1.*");
          if (!world.renew(null, true) && world.rank() == 0) {
            refused.incrementAndGet();
          }
        });
    assertThat(refused).hasValue(1);
  }
}
