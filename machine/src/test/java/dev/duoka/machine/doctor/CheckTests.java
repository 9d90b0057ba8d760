package dev.duoka.machine.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Named.named;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.duoka.machine.probe.FakeMachine;
import dev.duoka.machine.probe.MachineSnapshot;
import dev.duoka.machine.probe.PciDevice;
import dev.duoka.machine.probe.Reading;
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
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Each check on a machine with one fault; on the healthy machine all of them are silent. */
class CheckTests {
  private static final Severity ERROR = Severity.ERROR;
  private static final Severity WARNING = Severity.WARNING;
  private static final Severity NOTE = Severity.NOTE;

  private static final Reading<List<CopyResult>> NO_COPIES =
      Reading.unknown("no copies are made from a capture");

  @TempDir Path folder;

  private Diagnosis examine(FakeMachine machine) {
    return Doctor.examine(machine.snapshot(folder), NO_COPIES, Optional.empty());
  }

  @Test
  void aHealthyMachineGivesNoFinding() {
    for (int gpus : new int[] {1, 2, 8}) {
      Diagnosis diagnosis =
          Doctor.examine(
              new FakeMachine(gpus).snapshot(folder.resolve("m" + gpus)),
              NO_COPIES,
              Optional.of(new Plan(1L << 30, "a small model", gpus)));
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

  static Stream<Arguments> faults() {
    return Stream.of(
        fault("driver-module", ERROR, m -> m.module = "580.82.07"),
        fault(
            "driver-module",
            ERROR,
            m -> {
              m.files.put("root/proc/driver/nvidia/version", "nothing");
              m.kernelLog.add("[   12.3] NVRM: API mismatch: the client has the version 580.95.05");
            }),
        fault("lost-gpu", ERROR, m -> m.cardsOnBus = 9),
        fault(
            "lost-gpu",
            NOTE,
            m -> {
              m.cardsOnBus = 9;
              m.files.put("root/.dockerenv", "");
            }),
        fault("driver-cuda", ERROR, m -> version(m, "570.124.06", "12.8")),
        fault(
            "driver-cuda",
            NOTE,
            m -> {
              m.torch = "2.12.0+cu132";
              m.torchCuda = "13.2";
            }),
        fault("version-line", NOTE, m -> version(m, "580.10", "13.0")),
        fault(
            "version-line",
            WARNING,
            m -> {
              version(m, "525.125.06", "12.0");
              m.torchCuda = "12.0";
            }),
        fault(
            "version-line",
            ERROR,
            m -> {
              m.torch = "2.8.0+cu128";
              m.torchCuda = "12.8";
            }),
        fault("cudnn", ERROR, m -> replace(m, "libcudnn", "8.9.7")),
        fault("cudnn", WARNING, m -> replace(m, "libcudnn", "9.10.2")),
        fault("nccl-version", WARNING, m -> replace(m, "libnccl", "2.18.3")),
        fault("nccl-version", ERROR, m -> replace(m, "libnccl", "1.3.5")),
        fault("architectures", ERROR, m -> m.architectures = "sm_75 sm_80 sm_86 sm_120"),
        fault(
            "architectures",
            ERROR,
            m -> {
              m.architectures = "";
              m.torchCuda = "12.6";
              m.cards.forEach(card -> card.capability = "12.0");
            }),
        fault(
            "duplicate-torch",
            WARNING,
            m -> m.packages.add(FakeMachine.installed("pytorch", "2.1.0", "conda", "/opt/venv"))),
        fault(
            "duplicate-libraries",
            WARNING,
            m -> m.library("libcudnn", "9.20.0", "LD_LIBRARY_PATH")),
        fault(
            "duplicate-libraries",
            WARNING,
            m -> m.library("libnccl", "2.18.3", "conda in /opt/conda")),
        fault(
            "duplicate-libraries",
            NOTE,
            m -> m.library("libcudart", "12.8.90", "CUDA toolkit /usr/local/cuda")),
        fault(
            "cuda-packages",
            WARNING,
            m -> {
              m.packages.add(
                  FakeMachine.installed("nvidia-cudnn-cu12", "9.10.2.21", "pip", "/opt/venv"));
              m.packages.add(
                  FakeMachine.installed("nvidia-cudnn-cu13", "9.17.1.4", "pip", "/opt/venv"));
            }),
        fault("pcie-width", WARNING, m -> m.cards.get(1).width = "8x"),
        fault("pcie-width", ERROR, m -> m.cards.get(1).width = "4x"),
        fault(
            "pcie-generation",
            WARNING,
            m -> {
              busy(m.cards.get(0));
              m.cards.get(0).generation = "3";
            }),
        fault(
            "pcie-generation",
            NOTE,
            m -> {
              m.cards.get(0).generation = "4";
              m.cards.get(0).generationMax = "4";
            }),
        fault("pcie-errors", WARNING, m -> m.cards.get(0).replays = "123456"),
        fault(
            "pcie-errors",
            ERROR,
            m ->
                m.kernelLog.add(
                    "[  99.1] pcieport 0000:15:01.0: PCIe Bus Error: severity=Uncorrectable"
                        + " (Fatal), type=Transaction Layer")),
        fault("nvlink", ERROR, m -> m.cards.get(3).linksDown = 1),
        fault(
            "nvlink",
            NOTE,
            m ->
                m.cards.forEach(
                    card -> {
                      card.name = "NVIDIA RTX A6000";
                      card.links = 4;
                      card.linksDown = 4;
                    })),
        fault("fabric", ERROR, m -> m.cards.forEach(card -> card.fabric = "In Progress")),
        fault("acs", NOTE, m -> m.acs = "SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+"),
        fault(
            "acs",
            WARNING,
            m -> {
              m.acs = "SrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+";
              withoutNvLink(m);
            }),
        fault(
            "iommu",
            WARNING,
            m -> {
              m.files.put("root/proc/cmdline", "root=/dev/sda1 intel_iommu=on");
              withoutNvLink(m);
            }),
        fault("iommu", NOTE, m -> m.files.put("root/proc/cmdline", "root=/dev/sda1 amd_iommu=on")),
        fault(
            "numa",
            WARNING,
            m -> m.files.put("root/proc/self/status", "Cpus_allowed_list:\t0-31\n")),
        fault("shm", ERROR, m -> m.shmKib = 64 << 10),
        fault("shm", WARNING, m -> m.shmKib = 2 << 20),
        fault("memlock", NOTE, m -> m.memlock = "8192"),
        fault(
            "memlock",
            WARNING,
            m -> {
              m.memlock = "8192";
              m.files.put(
                  "nics.txt",
                  "0000:1a:00.0 Infiniband controller: Mellanox Technologies MT2910 Family"
                      + " [ConnectX-7]\n");
            }),
        fault("open-files", WARNING, m -> m.openFiles = "1024"),
        fault("host-memory", NOTE, m -> m.memoryKib = 64 << 20),
        fault(
            "container-limits",
            WARNING,
            m -> m.files.put("root/sys/fs/cgroup/cpu.max", "400000 100000")),
        fault(
            "container-limits",
            WARNING,
            m -> m.files.put("root/sys/fs/cgroup/memory.max", "34359738368")),
        fault("ecc", ERROR, m -> m.cards.get(2).volatileUncorrected = "3"),
        fault("ecc", ERROR, m -> m.cards.get(2).sramThreshold = "Yes"),
        fault("ecc", NOTE, m -> m.cards.get(2).aggregateUncorrected = "2"),
        fault("ecc", NOTE, m -> m.cards.get(2).ecc = "Disabled"),
        fault("row-remap", ERROR, m -> m.cards.get(2).remapFailed = "Yes"),
        fault("row-remap", WARNING, m -> m.cards.get(2).remapPending = "Yes"),
        fault("retired-pages", ERROR, m -> retired(m.cards.get(1), "2", "61", "No")),
        fault("retired-pages", WARNING, m -> retired(m.cards.get(1), "1", "0", "Yes")),
        fault("retired-pages", NOTE, m -> retired(m.cards.get(1), "1", "1", "No")),
        fault(
            "xid",
            ERROR,
            m ->
                m.kernelLog.add(
                    "[ 5.1] NVRM: Xid (PCI:0000:10:00): 79, pid=1, GPU has fallen off the bus.")),
        fault(
            "xid",
            NOTE,
            m -> m.kernelLog.add("[ 5.1] NVRM: Xid (PCI:0000:13:00): 45, pid=77, Ch 00000008")),
        fault(
            "xid",
            WARNING,
            m -> m.kernelLog.add("[ 5.1] NVRM: Xid (PCI:0000:13:00): 987, something new")),
        fault(
            "xid",
            ERROR,
            m ->
                m.kernelLog.add(
                    "[ 5.1] nvidia-nvswitch0: SXid (PCI:0000:86:00.0): 20009, Fatal, Link 27 RX"
                        + " Short Error Rate")),
        fault("recovery", ERROR, m -> m.cards.get(0).recovery = "Drain and Reset"),
        fault("power-cap", WARNING, m -> m.cards.forEach(card -> card.powerLimit = "400.00 W")),
        fault("power-cap", NOTE, m -> m.cards.get(0).powerLimit = "650.00 W"),
        fault("throttle", ERROR, m -> m.cards.get(0).powerBrake = "Active"),
        fault("throttle", ERROR, m -> m.cards.get(0).hardwareThermal = "Active"),
        fault("throttle", WARNING, m -> m.cards.get(0).softwareThermal = "Active"),
        fault("temperature", WARNING, m -> m.cards.get(0).temperature = "91 C"),
        fault("persistence", NOTE, m -> m.cards.get(0).persistence = "Disabled"),
        fault(
            "clocks",
            WARNING,
            m -> {
              busy(m.cards.get(0));
              m.cards.get(0).clock = "900 MHz";
            }),
        fault(
            "clocks",
            WARNING,
            m -> {
              m.cards.get(0).application = "1095 MHz";
              m.cards.get(0).applicationDefault = "1410 MHz";
            }),
        fault("compute-mode", ERROR, m -> m.cards.get(0).computeMode = "Prohibited"),
        fault("compute-mode", WARNING, m -> m.cards.get(0).computeMode = "Exclusive_Thread"),
        fault("compute-mode", NOTE, m -> m.cards.get(0).computeMode = "Exclusive_Process"),
        fault("mig", WARNING, m -> m.cards.get(0).mig = "Enabled"),
        fault("other-processes", NOTE, m -> m.cards.get(0).memoryUsed = "40000 MiB"),
        fault("mixed-gpus", WARNING, m -> m.cards.get(7).name = "NVIDIA H200"),
        fault("nccl-variables", WARNING, m -> m.environment.put("NCCL_BLOCKING_WAIT", "1")),
        fault("nccl-variables", NOTE, m -> m.environment.put("NCCL_SOCKET_NTHREADS", "4")),
        fault("nccl-variables", WARNING, m -> m.environment.put("NCCL_P2P_LEVLE", "NVL")),
        fault("cuda-variables", ERROR, m -> m.environment.put("CUDA_VISIBLE_DEVICES", "-1")),
        fault("cuda-variables", ERROR, m -> m.environment.put("CUDA_VISIBLE_DEVICES", "0,1,99")),
        fault("cuda-variables", ERROR, m -> m.environment.put("CUDA_VISIBLE_DEVICES", "98,99")),
        fault("cuda-variables", NOTE, m -> m.environment.put("NVIDIA_VISIBLE_DEVICES", "void")),
        fault("cuda-variables", WARNING, m -> m.environment.put("OMP_NUM_THREADS", "abc")),
        fault(
            "cuda-variables",
            ERROR,
            m -> m.environment.put("PYTORCH_CUDA_ALLOC_CONF", "max_split_size_mb:abc")),
        fault("cuda-variables", WARNING, m -> m.environment.put("CUDA_LAUNCH_BLOCKING", "1")),
        fault("cuda-variables", NOTE, m -> m.environment.put("CUDA_VISIBLE_DEVICES", "0,1")),
        fault(
            "cuda-variables",
            ERROR,
            m -> m.environment.put("LD_LIBRARY_PATH", "/usr/local/cuda/lib64/stubs")));
  }

  private static Arguments fault(String check, Severity severity, Consumer<FakeMachine> damage) {
    return arguments(check, severity, named(check + " " + severity.text(), damage));
  }

  @ParameterizedTest(name = "{2}")
  @MethodSource("faults")
  void findsTheFault(String check, Severity severity, Consumer<FakeMachine> damage) {
    FakeMachine machine = new FakeMachine(8);
    damage.accept(machine);
    Diagnosis diagnosis = examine(machine);
    List<Finding> found =
        diagnosis.findings().stream().filter(finding -> finding.check().equals(check)).toList();
    assertThat(found).as("findings of " + check + " in " + diagnosis.findings()).hasSize(1);
    Finding finding = found.getFirst();
    assertThat(finding.severity()).isEqualTo(severity);
    assertThat(finding.evidence()).isNotBlank().doesNotContain("{i}");
    assertThat(finding.consequence()).isNotBlank();
    assertThat(finding.fix()).isNotBlank().doesNotContain("{i}");
    assertThat(diagnosis.isHealthy())
        .isEqualTo(diagnosis.findings().stream().allMatch(f -> f.severity() == NOTE));
  }

  @ParameterizedTest
  @CsvSource({"8, ERROR", "2, NOTE"})
  void comparesThePlannedRanksWithTheGpus(int ranks, Severity severity) {
    Diagnosis diagnosis =
        Doctor.examine(
            new FakeMachine(4).snapshot(folder),
            NO_COPIES,
            Optional.of(new Plan(1L << 30, "a small model", ranks)));
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

  /** Checks that the faults above do not reach are tried in tests of their own. */
  @Test
  void everyCheckHasAFault() {
    Set<String> tried =
        Stream.concat(
                faults().map(arguments -> (String) arguments.get()[0]),
                Stream.of("driver", "copy", "planned-gpus"))
            .collect(Collectors.toSet());
    assertThat(tried).containsAll(Checks.ALL.stream().map(check -> check.info().id()).toList());
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
    Diagnosis diagnosis =
        Doctor.examine(
            machine.snapshot(folder),
            NO_COPIES,
            Optional.of(new Plan(512L << 30, "a snapshot of 37 B parameters", 0)));
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
    Diagnosis diagnosis =
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
    Diagnosis diagnosis = examine(machine);
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

  private static void version(FakeMachine machine, String driver, String cuda) {
    machine.driver = driver;
    machine.module = driver;
    machine.cuda = cuda;
  }

  private static void replace(FakeMachine machine, String library, String version) {
    machine.libraries.removeIf(copy -> copy.name().equals(library));
    machine.library(library, version, "the system");
  }

  private static void busy(FakeMachine.Card card) {
    card.idle = "Not Active";
    card.utilization = "98 %";
    card.clock = "1980 MHz";
  }

  private static void withoutNvLink(FakeMachine machine) {
    machine.cards.forEach(
        card -> {
          card.name = "NVIDIA L40S";
          card.links = 0;
        });
  }

  private static void retired(
      FakeMachine.Card card, String singles, String doubles, String pending) {
    card.retiredSingle = singles;
    card.retiredDouble = doubles;
    card.retiredPending = pending;
  }
}
