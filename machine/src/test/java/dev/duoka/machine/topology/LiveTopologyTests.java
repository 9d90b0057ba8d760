package dev.duoka.machine.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.ffi.library.Presence;
import dev.duoka.ffi.nvml.NvLink;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The live reader on a made-up /sys: two sockets, a switch with two GPUs and a network card. */
class LiveTopologyTests {
  private static final String SWITCH = "pci0000:10/0000:10:01.0/0000:11:00.0";

  @TempDir private Path root;

  @BeforeEach
  void machine() throws IOException {
    pci(SWITCH + "/0000:12:00.0/0000:13:00.0", 0, "0x10de", "0x030200");
    pci(SWITCH + "/0000:12:01.0/0000:14:00.0", 0, "0x10de", "0x030200");
    pci(SWITCH + "/0000:12:02.0/0000:15:00.0", 0, "0x15b3", "0x020700");
    pci("pci0000:10/0000:10:02.0/0000:16:00.0", 0, "0x10de", "0x030200");
    pci("pci0000:80/0000:80:01.0/0000:81:00.0", 1, "0x10de", "0x030200");
    for (int node = 0; node < 2; node++) {
      write("sys/devices/system/node/node" + node + "/cpulist", node == 0 ? "0-15" : "16-31");
      write(
          "sys/devices/system/node/node" + node + "/meminfo",
          "Node " + node + " MemTotal:       1024 kB\nNode 0 MemFree: 5 kB");
    }
    Path nic = root.resolve("sys/class/infiniband/mlx5_0");
    Files.createDirectories(nic);
    Files.createSymbolicLink(
        nic.resolve("device"),
        root.resolve("sys/devices/" + SWITCH + "/0000:12:02.0/0000:15:00.0"));
    write("sys/class/infiniband/mlx5_0/ports/1/rate", "400 Gb/sec (4X NDR)");
  }

  private void pci(String way, int node, String vendor, String type) throws IOException {
    String folder = "sys/devices/" + way;
    write(folder + "/numa_node", Integer.toString(node));
    write(folder + "/local_cpulist", node == 0 ? "0-15" : "16-31");
    write(folder + "/vendor", vendor);
    write(folder + "/class", type);
    Path links = root.resolve("sys/bus/pci/devices");
    Files.createDirectories(links);
    Path device = root.resolve(folder);
    Files.createSymbolicLink(links.resolve(device.getFileName()), device);
  }

  private void write(String file, String text) throws IOException {
    Path target = root.resolve(file);
    Files.createDirectories(target.resolveSibling("."));
    Files.writeString(target, text + "\n");
  }

  @Test
  void withoutDriverThePciTreeIsTold() {
    Topology topology =
        LiveTopology.read(Presence.absent("libnvidia-ml.so.1 is missing", "Install it"), root);
    assertThat(LiveTopology.lacksDriver(topology)).isTrue();
    assertThat(topology.gpus())
        .extracting(gpu -> gpu.numaNode().orElse(-1))
        .containsExactly(0, 0, 0, 1);
    assertThat(topology.gpus().getFirst().cpuAffinity()).contains("0-15");
    assertThat(topology.links()).isEmpty();
    assertThat(topology.pciePaths().toString())
        .isEqualTo("{0-1=PIX, 0-2=PHB, 0-3=SYS, 1-2=PHB, 1-3=SYS, 2-3=SYS}");
    assertThat(topology.numaNodes())
        .containsExactly(
            new NumaNode(0, Optional.of("0-15"), Optional.of(1L << 20)),
            new NumaNode(1, Optional.of("16-31"), Optional.of(1L << 20)));
    Nic nic = topology.nics().getFirst();
    assertThat(nic.links().toString()).isEqualTo("{0=PIX, 1=PIX, 2=PHB, 3=SYS}");
    assertThat(nic.gigabitsPerSecond()).hasValue(400);
    assertThat(nic.numaNode()).hasValue(0);
    assertThat(topology.warnings())
        .singleElement()
        .asString()
        .contains("missing")
        .contains("Install it");
  }

  /** Virtual machines report -1; nvidia-smi topo -m then names the only node, or all of them. */
  @Test
  void aNodeThatTheFirmwareDoesNotTellIsTheOnlyOne(@TempDir Path virtual) throws IOException {
    root = virtual;
    pci("pci0000:00/0000:00:05.0", -1, "0x10de", "0x030200");
    write("sys/devices/system/node/node0/cpulist", "0-31");
    Topology topology = LiveTopology.read(Presence.absent("none", "None"), root);
    assertThat(topology.gpus().getFirst().numaNode()).hasValue(0);
    assertThat(topology.gpus().getFirst().numaAffinity()).contains("0");

    write("sys/devices/system/node/node1/cpulist", "32-63");
    write("sys/devices/system/node/node2/cpulist", "");
    topology = LiveTopology.read(Presence.absent("none", "None"), root);
    assertThat(topology.gpus().getFirst().numaNode()).isEmpty();
    assertThat(topology.gpus().getFirst().numaAffinity()).contains("0-1");
  }

  @Test
  void emptySysIsNoFailure(@TempDir Path empty) {
    Topology topology = LiveTopology.read(Presence.absent("none", "None"), empty);
    assertThat(topology.gpus()).isEmpty();
    assertThat(topology.nics()).isEmpty();
    assertThat(topology.numaNodes()).isEmpty();
    assertThat(TerminalDrawing.of(topology)).isEmpty();
  }

  private static NvLink link(int number, boolean active, NvLink.Remote remote, String bus) {
    return new NvLink(number, active, Optional.of(3), Optional.of(remote), Optional.of(bus));
  }

  private static Gpu gpu(int index, String bus) {
    return Gpu.numbered(index).at(bus);
  }

  @Test
  void linksAreCountedByTheirOtherEnd() {
    DriverView view =
        new DriverView(
            List.of(gpu(0, "0000:13:00.0"), gpu(1, "0000:14:00.0"), gpu(2, "0000:16:00.0")),
            List.of(
                List.of(
                    link(0, true, NvLink.Remote.GPU, "00000000:14:00.0"),
                    link(1, true, NvLink.Remote.GPU, "00000000:14:00.0"),
                    link(2, false, NvLink.Remote.GPU, "00000000:14:00.0")),
                List.of(link(0, true, NvLink.Remote.GPU, "00000000:13:00.0")),
                List.of()),
            Set.of(new Pair(0, 1)),
            Map.of(new Pair(0, 1), LinkKind.PIX));
    Topology topology = LiveTopology.of(view, new SysTree(root));
    assertThat(topology.links().toString()).isEqualTo("{0-1=NV2, 0-2=PHB, 1-2=PHB}");
    assertThat(topology.pciePath(0, 1)).contains(Link.of(LinkKind.PIX));
    assertThat(topology.warnings()).singleElement().asString().contains("GPU 0").contains("2");
  }

  @Test
  void switchedLinksAreThoseOfTheWeakerGpu() {
    List<NvLink> all =
        List.of(
            link(0, true, NvLink.Remote.SWITCH, "00000000:a0:00.0"),
            link(1, true, NvLink.Remote.SWITCH, "00000000:a0:00.0"));
    DriverView view =
        new DriverView(
            List.of(gpu(0, "0000:13:00.0"), gpu(1, "0000:81:00.0")),
            List.of(all, List.of(all.getFirst())),
            Set.of(new Pair(0, 1)),
            Map.of());
    Topology topology = LiveTopology.of(view, new SysTree(root));
    assertThat(topology.link(0, 1)).contains(Link.nvlink(1));
    assertThat(topology.pciePath(0, 1)).contains(Link.of(LinkKind.SYS));
  }
}
