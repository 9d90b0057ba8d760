package dev.duoka.hardware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

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

  private static String committed(String name) throws IOException {
    return Files.readString(
        Path.of(System.getProperty("duoka.repository"), "bench/profiles", name));
  }

  /** All that were kept are read. */
  @ParameterizedTest
  @ValueSource(strings = {"one", "two", "four"})
  void whatWasMeasuredIsRead(String cards, @TempDir Path folder) throws IOException {
    Path file = folder.resolve("profile.json");
    Files.writeString(file, committed("2026-11-29-" + cards + "-h200.json"));
    MachineProfile profile = MachineProfileFile.read(file);
    MachineProfileFile.write(file, profile);
    assertThat(MachineProfileFile.read(file)).isEqualTo(profile);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"forward_seconds\" : [^,]*, | \"forward_seconds\" : 1e300, | forward_seconds is 1.0E300",
        "\"forward_seconds\" : [^,]*, | \"forward_seconds\" : 0, | forward_seconds is 0.0",
        "\"forward_seconds\" : [^,]*, | \"forward_seconds\" : -1e-5, | forward_seconds is -1.0E-5",
        "\"bytes_per_second\" : [^\\n]* | \"bytes_per_second\" : 1e40 | bytes_per_second is 1.0E40",
        "\"latency_seconds\" : [^,]*, | \"latency_seconds\" : -1, | latency_seconds is -1.0",
        "\"launch_seconds\" : [^,]*, | \"launch_seconds\" : 1e9, | launch_seconds is 1.0E9",
        "\"rows\" : [^,]*, | \"rows\" : 0, | rows is 0",
        "\"groups\" : [^,]*, | \"groups\" : -1, | groups is -1",
        "\"heads\" : [^,]*, | \"heads\" : -8, | heads is -8",
        "\"ranks\" : [^,]*, | \"ranks\" : 0, | ranks is 0",
        "\"rows\" : 512, | \"rows\" : 513, | products' are no full grid",
        "\"length\" : 1024, | \"length\" : 1025, | attention' are no full grid",
        "\"date\" : [^,]*, | \"date\" : \"yesterday\", | date is 'yesterday'",
        "NVIDIA H200 | '' | one of the cards has no name",
        "\"format\" : 1, | \"format\" : 9, | a machine profile of format 9",
        "\"seconds\" : [^,]*, | \"seconds\" : NaN, | malformed JSON"
      })
  void whatNoMachineIsMeasuredAtIsRefused(
      String place, String instead, String message, @TempDir Path folder) throws IOException {
    Path file = folder.resolve("profile.json");
    String all = committed("2026-11-29-four-h200.json");
    String damaged = all.replaceFirst(place, instead);
    assertThat(damaged).isNotEqualTo(all);
    Files.writeString(file, damaged);
    assertThatThrownBy(() -> MachineProfileFile.read(file))
        .isInstanceOfSatisfying(
            DuokaException.class,
            e -> assertThat(e.code().exitStatus()).as("1 would be that nothing fits").isEqualTo(2))
        .hasMessageContaining(file.toString())
        .hasMessageContaining(message)
        .message()
        .doesNotContain("JsonReadFeature");
  }

  @Test
  void aProfileThatIsNotThereIsAWrongQuestion(@TempDir Path folder) {
    assertThatThrownBy(() -> MachineProfileFile.read(folder.resolve("none.json")))
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code().exitStatus()).isEqualTo(2))
        .hasMessageContaining("none.json")
        .hasMessageContaining("duoka calibrate");
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
