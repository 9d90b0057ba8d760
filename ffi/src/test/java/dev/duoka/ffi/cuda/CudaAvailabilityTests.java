package dev.duoka.ffi.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.cuda.CudaAvailability.Card;
import dev.duoka.ffi.cuda.CudaAvailability.NotUsable;
import dev.duoka.ffi.cuda.CudaAvailability.Obstacle;
import dev.duoka.ffi.library.DeviceCode;
import dev.duoka.ffi.library.LibraryChoice;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class CudaAvailabilityTests {
  private static final LibraryChoice TORCH =
      new LibraryChoice(
          "installed PyTorch", Path.of("/venv/torch/lib"), "2.11.0+cu130", true, true, "chosen");
  private static final Card H100 =
      new Card("cuda:0", "NVIDIA H100 80GB HBM3", new ComputeCapability(9, 0));
  private static final Card V100 = new Card("cuda:1", "Tesla V100", new ComputeCapability(7, 0));
  private static final DeviceCode CODE =
      new DeviceCode(new TreeSet<>(List.of(75, 80, 90)), new TreeSet<>());

  private static Optional<NotUsable> mismatch(int built, int driver, Card... cards) {
    return CudaAvailability.mismatch(
        TORCH,
        Optional.of(CudaVersion.of(built)),
        CudaVersion.of(driver),
        List.of(cards),
        Optional.of(CODE));
  }

  /** It is asked for with every number that is read back: it must not look again. */
  @Test
  void theAnswerIsKept() {
    assertThat(CudaAvailability.check()).isSameAs(CudaAvailability.check());
  }

  @Test
  void whatFitsIsUsable() {
    assertThat(mismatch(13_000, 13_000, H100)).isEmpty();
    assertThat(mismatch(13_010, 13_000, H100)).isEmpty(); // one major version
    assertThat(mismatch(12_060, 13_000, H100)).isEmpty();
  }

  @Test
  void aDriverOlderThanTheBuildIsNamed() {
    NotUsable answer = mismatch(13_000, 12_080, H100).orElseThrow();
    assertThat(answer.obstacle()).isEqualTo(Obstacle.DRIVER_TOO_OLD);
    assertThat(answer.reason())
        .contains("2.11.0+cu130", "built with CUDA 13.0", "supports CUDA 12.8 at most");
    assertThat(answer.remedy()).contains("Update the driver");
  }

  @Test
  void aCardWithoutCodeIsNamed() {
    NotUsable answer = mismatch(13_000, 13_000, H100, V100).orElseThrow();
    assertThat(answer.obstacle()).isEqualTo(Obstacle.ARCHITECTURE);
    assertThat(answer.reason())
        .contains("no code for cuda:1", "Tesla V100", "7.0", "sm_75 sm_80 sm_90");
  }

  @Test
  void whoAskedForAGpuGetsTheReasonAsAnError() {
    LibraryChoice cpu =
        new LibraryChoice("Maven natives", Path.of("/cache"), "2.10.0", false, true, "chosen");
    CudaAvailability answer = CudaAvailability.cpuBuild(cpu);
    assertThatThrownBy(answer::orElseThrow)
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DEVICE))
        .hasMessageContaining("a GPU was asked for, but LibTorch 2.10.0 in /cache")
        .hasMessageContaining("CPU build")
        .hasMessageContaining("DUOKA_LIBTORCH");
  }

  @Test
  void anAnswerIsAlwaysGiven() {
    switch (CudaAvailability.check()) {
      case CudaAvailability.Usable(List<CudaDevice> devices) -> assertThat(devices).isNotEmpty();
      case NotUsable(_, String reason, String remedy) -> {
        assertThat(reason).isNotBlank();
        assertThat(remedy).isNotBlank();
      }
    }
  }
}
