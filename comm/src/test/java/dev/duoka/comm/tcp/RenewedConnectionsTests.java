package dev.duoka.comm.tcp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.comm.RankBody;
import dev.duoka.comm.RenewedExchange;
import dev.duoka.comm.launch.TestProcesses;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.testing.LedgerSnapshot;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Ranks of several processes. */
final class RenewedConnectionsTests extends RenewedExchange {
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
    TestProcesses.run(
        2,
        1,
        limit,
        world -> {
          world.agreement().barrier();
          if (world.rank() == 1) {
            Thread.sleep(4 * limit.toMillis());
          }
          assertThatThrownBy(world.agreement()::barrier)
              .isInstanceOf(DuokaException.class)
              .hasMessageContaining("has waited 0.8 s for rank 1");
          if (!world.renew(null, true) && world.rank() == 0) {
            refused.incrementAndGet();
          }
        });
    assertThat(refused).hasValue(1);
  }
}
