package dev.duoka.machine.environment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.ffi.cuda.CudaDevice;
import dev.duoka.ffi.cuda.CudaDriver;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("cuda")
class GpuEnvironmentTests {
  @Test
  void theReportNamesTheDevices() {
    CudaDevice device = CudaDriver.find().orElseThrow().device(0);
    CudaFacts cuda = EnvironmentReport.collect().cuda();
    assertThat(cuda.usable()).isTrue();
    assertThat(cuda.devices()).isNotEmpty().allMatch(d -> d.hasCode().orElse(false));
    assertThat(cuda.devices().getFirst().uuid()).isEqualTo(device.uuid());
    assertThat(cuda.architectures().orElseThrow())
        .contains("sm_" + device.computeCapability().major());
  }
}
