package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.diagnosis.log.LogSources;
import dev.duoka.doctor.check.Doctor;
import dev.duoka.hardware.xid.Xid;
import dev.duoka.machine.probe.FolderProbe;
import dev.duoka.machine.probe.Reading;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Doctor and diagnosis advise the same first step for every number of the driver. */
final class XidAgreementTests {
  @TempDir Path folder;

  /** All but those that the diagnosis takes for no cause of anything. */
  static List<Xid> numbers() {
    Set<Integer> records = Set.of(93, 106, 107, 162, 163);
    return Xid.all().stream().filter(xid -> !records.contains(xid.number())).toList();
  }

  @ParameterizedTest
  @MethodSource("numbers")
  void bothGiveTheSameFirstStep(Xid xid) throws IOException {
    Path log = folder.resolve("kernel.log");
    Files.writeString(
        log,
        "[    0.000000] Linux version 6.8.0\n[ 5214.331907] NVRM: Xid (PCI:0000:3b:00): "
            + xid.number()
            + ", pid=4821, name=python3, "
            + xid.name()
            + "\n");
    String doctor =
        Doctor.examine(FolderProbe.read(log), Reading.unknown("none"), Optional.empty())
            .findings()
            .stream()
            .filter(finding -> finding.check().equals("xid"))
            .findFirst()
            .orElseThrow()
            .fix();
    String diagnosis =
        dev.duoka.diagnosis.verdict.Diagnosis.of(LogSources.of(List.of(log.toString()), System.in))
            .findings()
            .stream()
            .filter(finding -> finding.rootCause().startsWith("xid" + xid.number() + "_"))
            .findFirst()
            .orElseThrow()
            .fix();
    assertThat(doctor).isEqualTo(diagnosis);
  }
}
