package dev.duoka.doctor.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.machine.probe.MachineSnapshot;
import dev.duoka.machine.probe.PciDevice;
import dev.duoka.machine.probe.Reading;
import dev.duoka.machine.testing.FakeMachine;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the checks say of whole machines: healthy, without a driver, with several faults. */
class CheckTests {
  private static final Severity ERROR = Severity.ERROR;
  private static final Severity WARNING = Severity.WARNING;
  private static final Severity NOTE = Severity.NOTE;

  private static final Reading<List<CopyResult>> NO_COPIES =
      Reading.unknown("no copies are made from a capture");

  @TempDir Path folder;

  private DoctorReport examine(FakeMachine machine) {
    return Doctor.examine(machine.snapshot(folder), NO_COPIES, Optional.empty());
  }

  @Test
  void aHealthyMachineGivesNoFinding() {
    for (int gpus : new int[] {1, 2, 8}) {
      DoctorReport diagnosis =
          Doctor.examine(
              new FakeMachine(gpus).snapshot(folder.resolve("m" + gpus)),
              NO_COPIES,
              Optional.of(new RunDemand(1L << 30, "a small model", gpus)));
      assertThat(diagnosis.findings()).as(gpus + " GPUs").isEmpty();
      assertThat(diagnosis.isHealthy()).isTrue();
      List<String> blind =
          diagnosis.examined().stream()
              .filter(examined -> !examined.unseen().isEmpty())
              .map(examined -> examined.check().id())
              .toList();
      assertThat(blind)
          .as("checks that saw nothing")
          .containsExactlyInAnyOrder("copy", "retired-pages");
    }
  }

  @ParameterizedTest
  @CsvSource({"8, ERROR", "2, NOTE"})
  void comparesThePlannedRanksWithTheGpus(int ranks, Severity severity) {
    DoctorReport diagnosis =
        Doctor.examine(
            new FakeMachine(4).snapshot(folder),
            NO_COPIES,
            Optional.of(new RunDemand(1L << 30, "a small model", ranks)));
    assertThat(diagnosis.findings())
        .singleElement()
        .satisfies(
            finding -> {
              assertThat(finding.check()).isEqualTo("planned-gpus");
              assertThat(finding.severity()).isEqualTo(severity);
              assertThat(finding.evidence()).contains(ranks + " ").contains("4 GPUs");
              assertThat(finding.fix()).contains("parallel.data=4");
            });
  }

  @Test
  void anIdleCardsLowerGenerationIsNoFault() {
    FakeMachine machine = new FakeMachine(2);
    machine.cards.forEach(
        card -> {
          card.generation = "1";
          card.state = "P8";
        });
    assertThat(examine(machine).findings()).isEmpty();
  }

  @Test
  void equalFaultsOfSeveralGpusAreOneFinding() {
    FakeMachine machine = new FakeMachine(4);
    machine.cards.get(1).width = "8x";
    machine.cards.get(3).width = "8x";
    assertThat(examine(machine).findings())
        .singleElement()
        .satisfies(
            finding -> {
              assertThat(finding.evidence()).startsWith("GPU 1, 3: PCIe runs with x8 of x16");
              assertThat(finding.fix()).contains("-i 1,3 ");
            });
    machine.cards.forEach(card -> card.width = "8x");
    assertThat(examine(machine).findings().getFirst().evidence()).startsWith("all 4 GPUs: ");
  }

  @Test
  void theWorstComesFirst() {
    FakeMachine machine = new FakeMachine(2);
    machine.cards.get(0).persistence = "Disabled";
    machine.cards.get(0).remapFailed = "Yes";
    machine.openFiles = "256";
    assertThat(examine(machine).findings())
        .extracting(Finding::severity)
        .containsExactly(ERROR, WARNING, NOTE);
  }

  @Test
  void theHostsMemoryIsHeldAgainstThePlan() {
    FakeMachine machine = new FakeMachine(1);
    machine.memoryKib = 256L << 20;
    DoctorReport diagnosis =
        Doctor.examine(
            machine.snapshot(folder),
            NO_COPIES,
            Optional.of(new RunDemand(512L << 30, "a snapshot of 37 B parameters", 0)));
    assertThat(diagnosis.findings())
        .singleElement()
        .satisfies(
            finding -> {
              assertThat(finding.check()).isEqualTo("host-memory");
              assertThat(finding.severity()).isEqualTo(ERROR);
              assertThat(finding.evidence()).contains("512.00 GiB", "256.00 GiB", "37 B");
            });
  }

  @Test
  void copiesThatArriveWrongAreErrors() {
    List<CopyResult> copies =
        List.of(
            copy("cuda:0 to cuda:1", true, -1, Optional.empty()),
            copy("cuda:1 to cuda:0", true, 4096, Optional.empty()),
            copy("cuda:0 to cuda:2", false, -1, Optional.empty()),
            copy("cuda:2 to cuda:0", false, -1, Optional.of("cuMemcpyPeerAsync failed")));
    DoctorReport diagnosis =
        Doctor.examine(new FakeMachine(3).snapshot(folder), Reading.of(copies), Optional.empty());
    assertThat(diagnosis.findings())
        .extracting(Finding::severity)
        .containsExactly(ERROR, ERROR, NOTE);
    assertThat(diagnosis.findings().getFirst().evidence())
        .isEqualTo("cuda:1 to cuda:0: byte 4096 of 64 arrived wrong");
    assertThat(diagnosis.findings().getFirst().fix()).startsWith("export NCCL_P2P_DISABLE=1");
    assertThat(diagnosis.findings().get(1).evidence()).contains("cuMemcpyPeerAsync failed");
  }

  private static CopyResult copy(
      String way, boolean direct, long firstWrong, Optional<String> problem) {
    return new CopyResult(way, CopyResult.Kind.PEER, direct, 64, firstWrong, 20.5, problem);
  }

  @Test
  void withoutADriverTheRestIsExamined() {
    FakeMachine machine = new FakeMachine(0);
    machine.withDriver = false;
    DoctorReport diagnosis = examine(machine);
    assertThat(diagnosis.isHealthy()).isTrue();
    assertThat(diagnosis.examined())
        .filteredOn(examined -> examined.check().id().equals("driver"))
        .singleElement()
        .satisfies(examined -> assertThat(examined.unseen()).isNotEmpty());
  }

  @Test
  void aLiveMachineWithCardsButNoDriverIsToldSo() {
    FakeMachine machine = new FakeMachine(2);
    machine.withDriver = false;
    MachineSnapshot captured = machine.snapshot(folder);
    assertThat(driver(captured, captured.pci()))
        .extracting(Finding::severity)
        .containsExactly(ERROR);
    assertThat(driver(captured, Reading.of(List.of())))
        .extracting(Finding::severity)
        .containsExactly(NOTE);
  }

  private static List<Finding> driver(MachineSnapshot captured, Reading<List<PciDevice>> pci) {
    MachineSnapshot live =
        new MachineSnapshot(
            "this machine",
            true,
            captured.driver(),
            captured.gpus(),
            captured.software(),
            captured.host(),
            pci,
            captured.kernelEvents(),
            captured.environment(),
            captured.topology(),
            List.of());
    Findings out = new Findings("driver");
    new DriverCheck()
        .examine(
            new Examination(
                live, NO_COPIES, Optional.empty(), Optional.empty(), Compatibility.load()),
            out);
    return out.list();
  }
}
