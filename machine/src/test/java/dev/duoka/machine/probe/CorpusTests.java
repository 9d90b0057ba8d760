package dev.duoka.machine.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.ffi.nvml.ThrottleReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Outputs of real machines: every file is read, and says what a reader of it sees. */
class CorpusTests {
  private static final long MIB = 1 << 20;

  private static MachineSnapshot read(String file) {
    return FolderProbe.read(Corpus.folder("smi").resolve(file));
  }

  private static Gpu only(String file) {
    MachineSnapshot snapshot = read(file);
    assertThat(snapshot.gpuList()).as(file).hasSize(1);
    return snapshot.gpuList().getFirst();
  }

  @Test
  void everyFileIsRecognised() throws IOException {
    try (Stream<Path> files = Files.list(Corpus.folder("smi"))) {
      List<Path> texts = files.filter(file -> file.toString().endsWith(".txt")).toList();
      assertThat(texts).isNotEmpty();
      for (Path file : texts) {
        MachineSnapshot snapshot = FolderProbe.read(file);
        assertThat(snapshot.notes()).as(file.toString()).isEmpty();
        assertThat(snapshot.gpuList().size() + snapshot.pci().optional().orElse(List.of()).size())
            .as("devices in " + file)
            .isPositive();
      }
    }
  }

  @Test
  void aFolderOfDifferentMachinesIsRefused() {
    Path folder = Corpus.folder("smi"); // outside the assertion, which would swallow the skip
    assertThatThrownBy(() -> FolderProbe.read(folder))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("different machines");
  }

  /** Chats and issue forms take the leading spaces away, and with them the tree. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "h100.q_load.txt",
        "h100_mig.q_idle.txt",
        "l40s.q_idle.txt",
        "rtx4080s.q_load.txt",
        "win_rtx2080s.q_idle.txt"
      })
  void aQueryWithoutIndentationSaysTheSame(String file, @TempDir Path folder) throws IOException {
    Path whole = Corpus.folder("smi").resolve(file);
    Path flat = folder.resolve(file);
    Files.write(flat, Files.readAllLines(whole).stream().map(String::strip).toList());
    assertThat(FolderProbe.read(flat).gpuList()).isEqualTo(FolderProbe.read(whole).gpuList());
  }

  @Test
  void powerLimitsUnderTheirNewName() {
    Gpu.Power power = only("win_rtx2080s.q_idle.txt").power();
    assertThat(power.limit()).isEqualTo(Reading.of(250.0));
    assertThat(power.defaultLimit()).isEqualTo(Reading.of(250.0));
    assertThat(power.max()).isEqualTo(Reading.of(350.0));
  }

  @Test
  void queryOfH100UnderLoad() {
    MachineSnapshot snapshot = read("h100.q_load.txt");
    assertThat(snapshot.driver().version()).isEqualTo(Reading.of("590.48.01"));
    assertThat(snapshot.driver().cuda()).isEqualTo(Reading.of("13.1"));
    Gpu gpu = only("h100.q_load.txt");
    assertThat(gpu.name()).isEqualTo(Reading.of("NVIDIA H100 80GB HBM3"));
    assertThat(gpu.pciBusId()).isEqualTo(Reading.of("00000000:00:09.0"));
    assertThat(gpu.memoryTotal()).isEqualTo(Reading.of(81559 * MIB));
    assertThat(gpu.memoryUsed()).isEqualTo(Reading.of(19818 * MIB));
    assertThat(gpu.utilization()).isEqualTo(Reading.of(100));
    assertThat(gpu.temperature()).isEqualTo(Reading.of(59));
    assertThat(gpu.performanceState()).isEqualTo(Reading.of("P0"));
    assertThat(gpu.looksIdle()).isFalse();
    assertThat(gpu.pcie().generation()).isEqualTo(Reading.of(5));
    assertThat(gpu.pcie().generationMax()).isEqualTo(Reading.of(5));
    assertThat(gpu.pcie().width()).isEqualTo(Reading.of(16));
    assertThat(gpu.pcie().replays()).isEqualTo(Reading.of(9L));
    assertThat(gpu.throttle()).isEqualTo(Reading.of(Set.of()));
    assertThat(gpu.health().ecc()).isEqualTo(Reading.of(true));
    assertThat(gpu.health().corrected()).isEqualTo(Reading.of(0L));
    assertThat(gpu.health().uncorrected()).isEqualTo(Reading.of(0L));
    assertThat(gpu.health().sramThreshold()).isEqualTo(Reading.of(false));
    assertThat(gpu.health().remapPending()).isEqualTo(Reading.of(false));
    assertThat(gpu.health().retiredPending().optional()).isEmpty();
    assertThat(gpu.power())
        .isEqualTo(
            new Gpu.Power(
                Reading.of(629.45),
                Reading.of(700.0),
                Reading.of(700.0),
                Reading.of(200.0),
                Reading.of(700.0)));
    assertThat(gpu.clocks().sm()).isEqualTo(Reading.of(1980));
    assertThat(gpu.clocks().application().optional()).isEmpty();
    assertThat(gpu.clocks().application().why()).contains("deprecated");
    assertThat(gpu.persistence()).isEqualTo(Reading.of(true));
    assertThat(gpu.mig()).isEqualTo(Reading.of(false));
    assertThat(gpu.recoveryAction()).isEqualTo(Reading.of("None"));
    assertThat(gpu.fabric()).isEqualTo(Reading.of("Completed"));
    assertThat(gpu.processes().optional().orElseThrow())
        .extracting(Gpu.GpuProcess::pid)
        .containsExactly(11327L, 11328L, 11345L);
    assertThat(gpu.processes().optional().orElseThrow().getLast().memory())
        .isEqualTo(Reading.of(15690 * MIB));
  }

  @Test
  void queryOfCardInMigMode() {
    Gpu gpu = only("h100_mig.q_idle.txt");
    assertThat(gpu.mig()).isEqualTo(Reading.of(true));
    assertThat(gpu.memoryTotal()).isEqualTo(Reading.of(81559 * MIB)); // not an instance's
    assertThat(gpu.utilization().why()).contains("N/A");
    assertThat(gpu.health().remapFailed().optional()).isEmpty();
    assertThat(gpu.throttle()).isEqualTo(Reading.of(Set.of(ThrottleReason.IDLE)));
    assertThat(gpu.looksIdle()).isTrue();
    assertThat(only("h100_mig.list_L.txt").mig()).isEqualTo(Reading.of(true));
    assertThat(only("h100_mig.nvlink_s.txt").nvlink().total().optional()).isEmpty();
  }

  @Test
  void queryOfConsumerCards() {
    Gpu ada = only("rtx4080s.q_load.txt");
    assertThat(ada.name()).isEqualTo(Reading.of("NVIDIA GeForce RTX 4080 SUPER"));
    assertThat(ada.persistence()).isEqualTo(Reading.of(false));
    assertThat(ada.health().ecc().optional()).isEmpty();
    assertThat(ada.mig().optional()).isEmpty();
    assertThat(ada.performanceState()).isEqualTo(Reading.of("P2"));
    assertThat(ada.pcie().generationDeviceMax()).isEqualTo(Reading.of(4));

    MachineSnapshot windows = read("win_rtx2080s.q_idle.txt");
    assertThat(windows.driver().version()).isEqualTo(Reading.of("610.62"));
    assertThat(windows.driver().cuda()).isEqualTo(Reading.of("13.3"));
    Gpu turing = windows.gpuList().getFirst();
    assertThat(turing.pcie().generationMax()).isEqualTo(Reading.of(3));
    assertThat(turing.persistence().optional()).isEmpty();
    assertThat(turing.looksIdle()).isTrue();

    Gpu l40s = only("l40s.q_idle.txt");
    assertThat(l40s.name()).isEqualTo(Reading.of("NVIDIA L40S"));
    assertThat(l40s.power().defaultLimit()).isEqualTo(Reading.of(350.0));
  }

  @Test
  void retiredPagesOfEightCards() {
    MachineSnapshot snapshot = read("azure_nhc.bad_nvsmi8_output.txt");
    assertThat(snapshot.driver().version()).isEqualTo(Reading.of("535.86.10"));
    List<Gpu> gpus = snapshot.gpuList();
    assertThat(gpus).hasSize(8).extracting(Gpu::index).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
    assertThat(gpus.get(0).health().retiredSingle()).isEqualTo(Reading.of(60L));
    assertThat(gpus.get(1).health().retiredDouble()).isEqualTo(Reading.of(61L));
    assertThat(gpus.get(1).health().retiredPending()).isEqualTo(Reading.of(true));
    assertThat(gpus.get(2).health().retiredPending()).isEqualTo(Reading.of(false));
    assertThat(gpus.get(1).name().optional()).isEmpty();
    assertThat(read("azure_nhc.orig_nvsmi8_output.txt").gpuList())
        .hasSize(8)
        .allMatch(gpu -> gpu.health().retiredDouble().equals(Reading.of(0L)));
  }

  @Test
  void tables() {
    MachineSnapshot h100 = read("h100.table.txt");
    assertThat(h100.driver().version()).isEqualTo(Reading.of("590.48.01"));
    Gpu gpu = h100.gpuList().getFirst();
    assertThat(gpu.name()).isEqualTo(Reading.of("NVIDIA H100 80GB HBM3"));
    assertThat(gpu.memoryTotal()).isEqualTo(Reading.of(81559 * MIB));
    assertThat(gpu.power().limit()).isEqualTo(Reading.of(700.0));
    assertThat(gpu.persistence()).isEqualTo(Reading.of(true));
    assertThat(gpu.mig()).isEqualTo(Reading.of(false));
    assertThat(gpu.processes()).isEqualTo(Reading.of(List.of()));
    assertThat(only("h200.table.txt").name()).isEqualTo(Reading.of("NVIDIA H200"));
    assertThat(only("l40s.table.txt").memoryTotal()).isEqualTo(Reading.of(46068 * MIB));
    Gpu cut = only("rtx4080s.table.txt");
    assertThat(cut.name().optional()).as("a name that was cut").isEmpty();
    assertThat(cut.persistence()).isEqualTo(Reading.of(false));
    assertThat(cut.performanceState()).isEqualTo(Reading.of("P8"));
    assertThat(cut.processes().optional().orElseThrow()).hasSize(5);
  }

  @Test
  void csv() {
    Gpu h100 = only("h100.csv_idle.txt");
    assertThat(h100.capability()).isEqualTo(Reading.of("9.0"));
    assertThat(h100.throttle()).isEqualTo(Reading.of(Set.of(ThrottleReason.IDLE)));
    assertThat(h100.health().remappedUncorrected()).isEqualTo(Reading.of(0L));
    assertThat(h100.power().limit()).isEqualTo(Reading.of(700.0));
    assertThat(only("h200.csv_idle.txt").name()).isEqualTo(Reading.of("NVIDIA H200"));
    assertThat(only("h100_mig.csv_idle.txt").mig()).isEqualTo(Reading.of(true));
    assertThat(only("rtx4080s.csv_idle.txt").pcie().generationMax()).isEqualTo(Reading.of(4));
    MachineSnapshot windows = read("win_rtx2080s.csv_idle.txt");
    assertThat(windows.driver().version()).isEqualTo(Reading.of("610.62"));
    assertThat(windows.gpuList().getFirst().capability()).isEqualTo(Reading.of("7.5"));
  }

  @Test
  void nvLinks() {
    assertThat(read("a100x8.nvlink_s.txt").gpuList())
        .hasSize(8)
        .allMatch(gpu -> gpu.nvlink().active().equals(Reading.of(12)))
        .allMatch(gpu -> gpu.nvlink().total().equals(Reading.of(12)));
    assertThat(only("h100.nvlink_s.txt").nvlink().active()).isEqualTo(Reading.of(18));
    assertThat(only("h200.nvlink_s.txt").nvlink().active()).isEqualTo(Reading.of(18));
    assertThat(only("rtx4080s.nvlink_s.txt").nvlink().total()).isEqualTo(Reading.of(0));
    assertThat(only("win_rtx2080s.nvlink_s.txt").nvlink().active()).isEqualTo(Reading.of(0));
    assertThat(only("l40s.list_L.txt").name()).isEqualTo(Reading.of("NVIDIA L40S"));
    assertThat(only("win_rtx2080s.list_L.txt").index()).isZero();
  }

  @Test
  void pciListings() {
    List<PciDevice> azure = read("a100x8.lspci_nn.txt").pci().optional().orElseThrow();
    assertThat(azure).filteredOn(device -> device.kind() == PciDevice.Kind.GPU).hasSize(8);
    assertThat(azure).filteredOn(device -> device.kind() == PciDevice.Kind.NVSWITCH).hasSize(6);
    assertThat(azure).filteredOn(device -> device.kind() == PciDevice.Kind.NETWORK).hasSize(9);

    List<PciDevice> detailed = read("host.lspci_vvv_excerpt.txt").pci().optional().orElseThrow();
    assertThat(detailed).filteredOn(device -> device.kind() == PciDevice.Kind.GPU).hasSize(4);
    List<PciDevice> bridges =
        detailed.stream().filter(device -> device.kind() == PciDevice.Kind.BRIDGE).toList();
    assertThat(bridges).hasSize(12).allMatch(bridge -> bridge.acs().equals(Reading.of(Set.of())));
    PciDevice gpu =
        detailed.stream().filter(d -> d.kind() == PciDevice.Kind.GPU).findFirst().orElseThrow();
    assertThat(gpu.address()).isEqualTo("0000:19:00.0");
    assertThat(gpu.generation()).isEqualTo(Reading.of(5));
    assertThat(gpu.width()).isEqualTo(Reading.of(16));
    assertThat(gpu.numaNode()).isEqualTo(Reading.of(0));

    List<PciDevice> tree = read("asus_esc8000.lspci_tv.txt").pci().optional().orElseThrow();
    assertThat(tree)
        .filteredOn(device -> device.kind() == PciDevice.Kind.GPU)
        .extracting(PciDevice::address)
        .containsExactly("0000:01:00.0", "0000:41:00.0", "0000:c1:00.0", "0000:e1:00.0");
    assertThat(tree).filteredOn(device -> device.kind() == PciDevice.Kind.NETWORK).hasSize(4);
  }
}
