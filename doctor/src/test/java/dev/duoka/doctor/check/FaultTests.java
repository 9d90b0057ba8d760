package dev.duoka.doctor.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.machine.probe.Reading;
import dev.duoka.machine.testing.FakeMachine;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each check on a machine with one fault. */
final class FaultTests {
  @TempDir Path folder = Path.of("");

  static Stream<Arguments> faults() {
    return Faults.all();
  }

  @ParameterizedTest(name = "{2}")
  @MethodSource("faults")
  void findsTheFault(String check, Severity severity, Consumer<FakeMachine> damage) {
    FakeMachine machine = new FakeMachine(8);
    damage.accept(machine);
    DoctorReport diagnosis =
        Doctor.examine(machine.snapshot(folder), Reading.unknown("none"), Optional.empty());
    List<Finding> found =
        diagnosis.findings().stream().filter(finding -> finding.check().equals(check)).toList();
    assertThat(found).as("findings of " + check + " in " + diagnosis.findings()).hasSize(1);
    Finding finding = found.getFirst();
    assertThat(finding.severity()).isEqualTo(severity);
    assertThat(finding.evidence()).isNotBlank().doesNotContain("{i}");
    assertThat(finding.consequence()).isNotBlank();
    assertThat(finding.fix()).isNotBlank().doesNotContain("{i}");
    assertThat(diagnosis.isHealthy())
        .isEqualTo(diagnosis.findings().stream().allMatch(f -> f.severity() == Severity.NOTE));
  }

  /** Checks that no fault of a captured machine reaches are tried in tests of their own. */
  @Test
  void everyCheckHasAFault() {
    Set<String> tried =
        Stream.concat(
                faults().map(arguments -> (String) arguments.get()[0]),
                Stream.of("driver", "copy", "planned-gpus"))
            .collect(Collectors.toSet());
    assertThat(tried).containsAll(Checks.ALL.stream().map(check -> check.info().id()).toList());
  }
}
