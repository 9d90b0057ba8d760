package dev.duoka.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.tensor.op.Tensors;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class ComputeThreadTests {
  private static Tensor allocate(long elements) {
    try (Scope _ = Scope.open(MemoryOwner.WEIGHTS)) {
      return Scope.detach(Tensors.empty(Dtype.FLOAT32, Device.CPU, elements));
    }
  }

  @Test
  void bothWorkAtOnceAndTheCallersLedgerBooksBoth() {
    CountDownLatch inWork = new CountDownLatch(1);
    CountDownLatch inMeanwhile = new CountDownLatch(1);
    List<Tensor> made = Collections.synchronizedList(new ArrayList<>());
    try (ThreadLedger mine = ThreadLedger.open(Device.CPU)) {
      ComputeThread.sideBySide(
          Device.CPU,
          () -> {
            inWork.countDown();
            await(inMeanwhile);
            made.add(allocate(100));
          },
          () -> {
            await(inWork);
            inMeanwhile.countDown();
            made.add(allocate(20));
          });
      assertThat(mine.ledger().liveBytes()).isEqualTo(480);
      made.forEach(Tensor::close);
      assertThat(mine.ledger().liveBytes()).isZero();
    }
  }

  @Test
  void theCallersLimitHoldsForBothAndAFailureReachesTheCaller() {
    List<String> done = new ArrayList<>();
    try (ThreadLedger _ = ThreadLedger.open(Device.CPU, 1000)) {
      assertThatThrownBy(
              () ->
                  ComputeThread.sideBySide(
                      Device.CPU, () -> allocate(251), () -> done.add("meanwhile")))
          .isInstanceOf(OutOfMemoryException.class);
      assertThat(done).containsExactly("meanwhile");
    }
  }

  @Test
  void whatFailsMeanwhileWaitsForTheWork() {
    List<String> done = Collections.synchronizedList(new ArrayList<>());
    CountDownLatch failed = new CountDownLatch(1);
    assertThatThrownBy(
            () ->
                ComputeThread.sideBySide(
                    Device.CPU,
                    () -> {
                      await(failed);
                      done.add("work");
                    },
                    () -> {
                      failed.countDown();
                      throw new IllegalStateException("meanwhile");
                    }))
        .hasMessage("meanwhile");
    assertThat(done).containsExactly("work");
  }

  @Test
  void ofTwoFailuresThatOfTheWorkIsThrown() {
    assertThatThrownBy(
            () ->
                ComputeThread.sideBySide(
                    Device.CPU,
                    () -> {
                      throw new IllegalStateException("work");
                    },
                    () -> {
                      throw new IllegalArgumentException("meanwhile");
                    }))
        .hasMessage("work")
        .satisfies(e -> assertThat(e.getSuppressed()[0]).hasMessage("meanwhile"));
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
