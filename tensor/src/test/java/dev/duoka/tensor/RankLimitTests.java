package dev.duoka.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.ErrorCode;
import dev.duoka.tensor.op.Tensors;
import org.junit.jupiter.api.Test;

class RankLimitTests {
  @Test
  void whatGoesBeyondAThreadsLimitIsRefusedWithWhatItHeld() {
    try (ThreadLedger _ = ThreadLedger.open(Device.CPU, 1000);
        Scope _ = Scope.open(MemoryOwner.WEIGHTS)) {
      Tensors.empty(Dtype.FLOAT32, Device.CPU, 200);
      assertThatThrownBy(() -> Tensors.empty(Dtype.FLOAT32, Device.CPU, 51))
          .isInstanceOfSatisfying(
              OutOfMemoryException.class,
              e -> {
                assertThat(e.code()).isEqualTo(ErrorCode.OUT_OF_MEMORY);
                assertThat(e.bytes()).isEqualTo(204);
                assertThat(e.available()).isEqualTo(1000);
                assertThat(e.held()).containsOnlyKeys(MemoryOwner.WEIGHTS);
                assertThat(e.held().get(MemoryOwner.WEIGHTS)).isEqualTo(800);
              });
      // What fits is given, and other devices and threads have no limit.
      Tensors.empty(Dtype.FLOAT32, Device.CPU, 50);
      Tensors.empty(Dtype.FLOAT32, Device.META, 5000);
    }
    try (Scope _ = Scope.open(MemoryOwner.WEIGHTS)) {
      assertThat(Tensors.empty(Dtype.FLOAT32, Device.CPU, 5000).elements()).isEqualTo(5000);
    }
  }
}
