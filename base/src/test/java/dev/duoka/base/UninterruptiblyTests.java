package dev.duoka.base;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class UninterruptiblyTests {
  @Test
  void anInterruptionIsToldWhenTheOtherThreadHasEnded() throws InterruptedException {
    CountDownLatch end = new CountDownLatch(1);
    Thread other =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    end.await();
                  } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                  }
                });
    Thread self = Thread.currentThread();
    Thread stranger =
        Thread.ofPlatform()
            .start(
                () -> {
                  self.interrupt();
                  while (self.isInterrupted()) { // until the wait has heard of it
                    Thread.onSpinWait();
                  }
                  end.countDown();
                });
    Uninterruptibly.join(other);
    assertThat(other.isAlive()).isFalse();
    assertThat(Thread.interrupted()).isTrue();
    stranger.join();
  }
}
