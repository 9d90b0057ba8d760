package dev.duoka.tensor.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class ReusedTests {
  private static final int THREADS = 8;
  private static final int ROUNDS = 20_000;

  private final AtomicInteger made = new AtomicInteger();
  private final List<Integer> closed = new CopyOnWriteArrayList<>();
  private final Reused<Thing> things = new Reused<>(() -> new Thing(made.getAndIncrement()));

  private final class Thing implements AutoCloseable {
    private final int number;

    Thing(int number) {
      this.number = number;
    }

    @Override
    public void close() {
      closed.add(number);
    }
  }

  @Test
  void whatIsGivenBackIsTakenAgain() {
    Thing first = things.take();
    assertThat(things.take()).isNotSameAs(first);
    things.giveBack(first);
    assertThat(things.take()).isSameAs(first);
    things.close();
    assertThat(closed).containsExactlyInAnyOrder(0, 1);
    things.giveBack(first);
    assertThatThrownBy(things::take).hasMessageContaining("after the end");
  }

  /** No two threads have one at the same time, and each one that was made is closed once. */
  @Test
  void threadsShareThem() throws Exception {
    Set<Thing> taken = ConcurrentHashMap.newKeySet();
    Callable<Boolean> rounds =
        () -> {
          boolean alone = true;
          for (int i = 0; i < ROUNDS; i++) {
            Thing mine = things.take();
            alone &= taken.add(mine);
            taken.remove(mine);
            things.giveBack(mine);
          }
          return alone;
        };
    try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
      List<Future<Boolean>> ends = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        ends.add(threads.submit(rounds));
      }
      for (Future<Boolean> end : ends) {
        assertThat(end.get()).isTrue();
      }
    }
    things.close();
    assertThat(made).hasValueLessThanOrEqualTo(THREADS);
    assertThat(closed).hasSize(made.get()).doesNotHaveDuplicates();
  }
}
