package dev.duoka.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.LedgerSnapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** On {@code meta}, where nobody else allocates. */
class MemoryLedgerTests {
  private final MemoryLedger ledger = MemoryLedger.of(Device.META);

  @Test
  void booksOnTheOwnerOfTheScope() {
    try (Scope _ = Scope.open(MemoryOwner.WEIGHTS)) {
      Tensor weights = Tensors.empty(Dtype.FLOAT32, Device.META, 100);
      try (Scope inner = Scope.open(MemoryOwner.ACTIVATIONS)) {
        Tensor activations = Elementwise.add(weights, weights);
        try (Scope _ = Scope.open()) {
          Tensors.empty(Dtype.BFLOAT16, Device.META, 8);
          assertThat(ledger.liveByOwner())
              .isEqualTo(Map.of(MemoryOwner.WEIGHTS, 400L, MemoryOwner.ACTIVATIONS, 416L));
        }
        inner.keep(activations);
      }
      // Whoever keeps a tensor, it stays booked on what it was made for.
      assertThat(ledger.liveByOwner())
          .isEqualTo(Map.of(MemoryOwner.WEIGHTS, 400L, MemoryOwner.ACTIVATIONS, 400L));
      assertThat(ledger.describe()).contains("800").contains("weights").contains("activations");
    }
    assertThat(ledger.liveBytes()).isZero();
    assertThat(ledger.liveStorages()).isZero();
    assertThat(ledger.liveByOwner()).isEmpty();
  }

  @Test
  void remembersThePeakAndItsOwners() {
    ledger.resetPeak();
    try (Scope _ = Scope.open(MemoryOwner.GRADIENTS)) {
      Tensors.empty(Dtype.FLOAT32, Device.META, 10);
      try (Scope _ = Scope.open(MemoryOwner.LOGITS)) {
        Tensors.empty(Dtype.FLOAT32, Device.META, 1000);
      }
      try (Scope _ = Scope.open(MemoryOwner.OPTIMIZER)) {
        Tensors.empty(Dtype.FLOAT32, Device.META, 999);
      }
    }
    assertThat(ledger.peakBytes()).isEqualTo(4040);
    assertThat(ledger.peakByOwner())
        .isEqualTo(Map.of(MemoryOwner.GRADIENTS, 40L, MemoryOwner.LOGITS, 4000L));
    ledger.resetPeak();
    assertThat(ledger.peakBytes()).isZero();
    assertThat(ledger.peakByOwner()).isEmpty();
  }

  @Test
  void countsAStorageOnceHoweverManyViews() {
    try (Scope _ = Scope.open(MemoryOwner.KV_CACHE)) {
      Tensor tensor = Tensors.empty(Dtype.INT32, Device.META, 6, 4);
      tensor.share();
      Views.narrow(tensor, 0, 1, 2);
      Views.transpose(tensor, 0, 1);
      tensor.close();
      assertThat(ledger.liveStorages()).isEqualTo(1);
      assertThat(ledger.liveBytes()).isEqualTo(96);
    }
    assertThat(ledger.liveStorages()).isZero();
  }

  @Test
  void isExactUnderConcurrentUse() throws InterruptedException {
    LedgerSnapshot before = LedgerSnapshot.of(Device.CPU);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int round = 0; round < 500; round++) {
                      try (Scope scope = Scope.open(MemoryOwner.TEMPORARIES)) {
                        Tensor a = Tensors.full(round, Dtype.FLOAT32, Device.CPU, 17);
                        Tensor b = scope.keep(Elementwise.mul(a, a));
                        b.close();
                      }
                    }
                  }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    before.assertUnchanged();
  }
}
