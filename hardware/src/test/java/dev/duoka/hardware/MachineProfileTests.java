package dev.duoka.hardware;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class MachineProfileTests {
  private static final MachineProfile MEASURED =
      new MachineProfile(
          "2026-11-29T13:09:43Z",
          List.of("NVIDIA H200", "NVIDIA H200"),
          Map.of("driver", "580.159.04", "libtorch", "2.11.0+cu130", "nccl", "2.28.9"),
          75,
          8e-6,
          List.of(),
          List.of(),
          List.of(),
          List.of(),
          Optional.empty());

  @Test
  void versionsThatWereReplacedSinceAreNamed() {
    assertThat(MEASURED.changedVersions(Map.of("driver", "590.44.01", "libtorch", "2.11.0+cu130")))
        .containsExactly("driver 580.159.04 then and 590.44.01 now");
    assertThat(MEASURED.changedVersions(Map.of("driver", "590.44.01", "libtorch", "2.12.0+cu130")))
        .containsExactly(
            "driver 580.159.04 then and 590.44.01 now",
            "libtorch 2.11.0+cu130 then and 2.12.0+cu130 now");
  }

  @Test
  void whatIsTheSameOrNotKnownIsNot() {
    assertThat(MEASURED.changedVersions(Map.of())).isEmpty();
    assertThat(MEASURED.changedVersions(Map.of("driver", "580.159.04", "cudnn", "9.20.0")))
        .isEmpty();
  }

  @Test
  void itIsNamedByItsCardsAndDay() {
    assertThat(MEASURED.title()).isEqualTo("2 x NVIDIA H200, measured 2026-11-29");
  }
}
