package dev.duoka.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LiveTensorsTests {
  @BeforeEach
  void start() {
    LiveTensors.track(true);
  }

  @AfterEach
  void stop() {
    LiveTensors.track(false);
  }

  @Test
  void namesTheSiteOfALeak() {
    try (Scope _ = Scope.open(MemoryOwner.OPTIMIZER)) {
      Tensor leaked = Tensors.zeros(Dtype.FLOAT32, Device.CPU, 1024);
      for (int i = 0; i < 3; i++) {
        Tensors.zeros(Dtype.FLOAT32, Device.CPU, 2048);
      }
      Tensors.zeros(Dtype.FLOAT32, Device.CPU, 1 << 20).close();
      List<String> report = LiveTensors.report();
      assertThat(report).hasSize(2);
      assertThat(report.getFirst())
          .startsWith("3 × ")
          .contains("optimizer")
          .contains("LiveTensorsTests.namesTheSiteOfALeak(LiveTensorsTests.java:");
      assertThat(report.getLast()).startsWith("1 × ");
      assertThat(leaked.isClosed()).isFalse();
    }
    assertThat(LiveTensors.report()).isEmpty();
  }

  @Test
  void aViewKeepsItsStorageInTheReport() {
    Tensor whole = Tensors.zeros(Dtype.FLOAT32, Device.CPU, 8);
    Tensor part = Views.narrow(whole, 0, 2, 2);
    whole.close();
    assertThat(LiveTensors.report()).hasSize(1);
    part.close();
    assertThat(LiveTensors.report()).isEmpty();
  }

  @Test
  void forgetsEverythingWhenTurnedOff() {
    try (Tensor _ = Tensors.zeros(Dtype.FLOAT32, Device.CPU, 8)) {
      assertThat(LiveTensors.isTracking()).isTrue();
      LiveTensors.track(false);
      assertThat(LiveTensors.isTracking()).isFalse();
      assertThat(LiveTensors.report()).isEmpty();
    }
    LiveTensors.track(true);
    assertThat(LiveTensors.report()).isEmpty();
  }
}
