package dev.duoka.hardware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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

  private static MachineProfile with(HostSample host) {
    return new MachineProfile(
        MEASURED.date(),
        MEASURED.cards(),
        MEASURED.versions(),
        MEASURED.seconds(),
        MEASURED.launchSeconds(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        Optional.of(host));
  }

  /** Older profiles do not have it, and are read. */
  @Test
  void whatTheHostsLinkCarriesBothWaysIsKept(@TempDir Path folder) {
    Path file = folder.resolve("profile.json");
    HostSample now = new HostSample(54e9, 55e9, OptionalDouble.of(44e9), 2.7e-10, 1e9, 7e9);
    MachineProfileFile.write(file, with(now));
    assertThat(MachineProfileFile.read(file).host()).contains(now);
    HostSample before = new HostSample(54e9, 55e9, OptionalDouble.empty(), 2.7e-10, 1e9, 7e9);
    MachineProfileFile.write(file, with(before));
    assertThat(MachineProfileFile.read(file).host()).contains(before);
  }

  @Test
  void whereItCannotBeWrittenIsSaidBefore(@TempDir Path folder) {
    Path file = folder.resolve("new/profile.json");
    MachineProfileFile.prepare(file);
    assertThat(file.getParent()).isEmptyDirectory();
    assertThatThrownBy(() -> MachineProfileFile.prepare(folder))
        .hasMessageContaining("cannot write the machine profile " + folder + ": it is no file");
    assertThatThrownBy(() -> MachineProfileFile.prepare(Path.of("/proc/none/profile.json")))
        .isInstanceOf(DuokaException.class);
  }

  @Test
  void thatOfACpuTakesNoCardsPlace() {
    assertThat(MachineProfileFile.usual(false)).isNotEqualTo(MachineProfileFile.usual(true));
  }

  @Test
  void itIsNamedByItsCardsAndDay() {
    assertThat(MEASURED.title()).isEqualTo("2 x NVIDIA H200, measured 2026-11-29");
  }
}
