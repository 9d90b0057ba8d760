package dev.duoka.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

final class DryRunDeviceTests {
  private static List<Boolean> kernels() {
    return List.of(DryRunDevice.hasKernels(true), DryRunDevice.hasKernels(false));
  }

  @Test
  void withoutADeviceThePrecisionTellsWhichItIs() {
    assertThat(DryRunDevice.real()).isEmpty();
    assertThat(kernels()).containsExactly(true, false);
  }

  @Test
  void aCardHasKernelsInEveryPrecisionAndACpuInNone() {
    assertThat(DryRunDevice.of(Device.cuda(1), DryRunDeviceTests::kernels))
        .containsExactly(true, true);
    assertThat(DryRunDevice.of(Device.CPU, DryRunDeviceTests::kernels))
        .containsExactly(false, false);
  }

  @Test
  void whatStoodBeforeStandsAgainAfterwards() {
    Optional<Device> outer =
        DryRunDevice.of(
            Device.CPU,
            () -> {
              assertThat(DryRunDevice.of(Device.cuda(0), DryRunDevice::real))
                  .contains(Device.cuda(0));
              return DryRunDevice.real();
            });
    assertThat(outer).contains(Device.CPU);
    assertThat(DryRunDevice.real()).isEmpty();
  }

  @Test
  void aFailureLeavesNothingBehind() {
    assertThatThrownBy(
            () ->
                DryRunDevice.of(
                    Device.CPU,
                    () -> {
                      throw new IllegalStateException("as planned");
                    }))
        .hasMessage("as planned");
    assertThat(DryRunDevice.real()).isEmpty();
  }

  @Test
  void otherThreadsDoNotSeeIt() {
    try (ExecutorService other = Executors.newSingleThreadExecutor()) {
      Optional<Device> seen =
          DryRunDevice.of(
              Device.CPU,
              () -> {
                try {
                  return other.submit(DryRunDevice::real).get();
                } catch (ExecutionException | InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              });
      assertThat(seen).isEmpty();
    }
  }
}
