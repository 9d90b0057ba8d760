package dev.duoka.train.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Gpus;
import org.junit.jupiter.api.Test;

class SingleDeviceTests {
  @Test
  void aBenchmarkDoesNotFallBackToTheCpu() {
    if (Gpus.find().usable()) {
      assertThat(SingleDevice.parseForBenchmark("auto").isCuda()).isTrue();
    } else {
      assertThatThrownBy(() -> SingleDevice.parseForBenchmark("auto"))
          .hasMessageStartingWith("there is no GPU to measure on: ")
          .hasMessageContaining("--device cpu")
          .hasMessageContaining("--device meta");
      assertThatThrownBy(() -> SingleDevice.parseToMeasure("auto"))
          .hasMessageContaining("--device cpu")
          .hasMessageNotContaining("meta");
    }
  }

  @Test
  void theCpuIsMeasuredWhenItIsAskedFor() {
    assertThat(SingleDevice.parseForBenchmark("cpu").device()).isEqualTo(Device.CPU);
    assertThat(SingleDevice.parseForBenchmark("meta").isMeta()).isTrue();
    assertThat(SingleDevice.parseToMeasure("cpu").device()).isEqualTo(Device.CPU);
    assertThatThrownBy(() -> SingleDevice.parseToMeasure("meta"))
        .hasMessageContaining("--device is meta, which computes nothing");
  }
}
