package dev.duoka.machine.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.ffi.library.Presence;
import dev.duoka.formats.json.Json;
import dev.duoka.machine.testing.FakeMachine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The live probe and the capture on a made-up root of the file system. */
@SuppressWarnings("StringConcatToTextBlock") // lines of captured files read better one by one
class LiveProbeTests {
  private static final CommandRunner NOTHING =
      (command, _) -> new CommandRunner.Result(127, "no " + command.getFirst());

  @TempDir Path root;

  private void put(String name, String text) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  private MachineSnapshot live(Map<String, String> environment, CommandRunner commands) {
    return LiveProbe.read(
        Presence.absent("libnvidia-ml.so.1: no such file", "install it"),
        new SystemFiles(root),
        environment,
        commands);
  }

  @Test
  void anEmptyRootLeavesEverythingUnknownWithAReason() {
    MachineSnapshot snapshot = live(Map.of(), NOTHING);
    assertThat(snapshot.live()).isTrue();
    assertThat(snapshot.gpus().why()).contains("NVML cannot be used", "libnvidia-ml.so.1");
    assertThat(snapshot.host().memory().why()).isNotEmpty();
    assertThat(snapshot.kernelEvents().why()).contains("dmesg");
    assertThat(snapshot.software().torch().why()).contains("no PyTorch");
  }

  @Test
  void readsThisMachine() {
    MachineSnapshot snapshot = LiveProbe.read();
    assertThat(snapshot.host().memory().optional()).isPresent();
    assertThat(snapshot.host().processors().optional()).isPresent();
    assertThat(snapshot.host().openFiles().optional()).isPresent();
  }

  @Test
  void controlGroupsOfBothVersions() throws IOException {
    put("proc/self/cgroup", "0::/job\n");
    put("sys/fs/cgroup/job/memory.max", "68719476736\n");
    put("sys/fs/cgroup/job/cpu.max", "1200000 100000\n");
    assertThat(live(Map.of(), NOTHING).host().cgroupMemory()).isEqualTo(Reading.of(64L << 30));
    assertThat(live(Map.of(), NOTHING).host().cgroupCpus()).isEqualTo(Reading.of(12.0));
    Files.delete(root.resolve("sys/fs/cgroup/job/memory.max"));
    Files.delete(root.resolve("sys/fs/cgroup/job/cpu.max"));
    put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    put(".dockerenv", "");
    Host host = live(Map.of(), NOTHING).host();
    assertThat(host.cgroupMemory()).isEqualTo(Reading.of(Host.UNLIMITED));
    assertThat(host.cgroupCpus().optional())
        .hasValueSatisfying(n -> assertThat(n).isGreaterThan(1e9));
    assertThat(host.container()).isEqualTo(Reading.of("docker"));
  }

  @Test
  void pciDevicesAndTheirAccessControl() throws IOException {
    device("0000:3b:00.0", "0x030200", "0x10de", "1");
    device("0000:3a:00.0", "0x060400", "0x8086", "1");
    device("0000:00:1f.0", "0x060100", "0x8086", "0");
    ByteBuffer config = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
    config.putInt(0x100, 0x1b001 | 0x220 << 20); // some capability, then access control
    config.putInt(0x220, 0x1000d);
    config.putShort(0x226, (short) 0x1d);
    Files.write(root.resolve("sys/bus/pci/devices/0000:3a:00.0/config"), config.array());
    List<PciDevice> devices = live(Map.of(), NOTHING).pci().optional().orElseThrow();
    assertThat(devices)
        .extracting(PciDevice::kind)
        .containsExactly(PciDevice.Kind.BRIDGE, PciDevice.Kind.GPU);
    assertThat(devices.getFirst().acs()).isEqualTo(Reading.of(Set.of("ReqRedir", "CmpltRedir")));
    assertThat(devices.getLast().generation()).isEqualTo(Reading.of(4));
    assertThat(devices.getLast().width()).isEqualTo(Reading.of(16));
    assertThat(PciProbe.accessControl(Optional.of(new byte[64])).why()).contains("root only");
  }

  private void device(String address, String type, String vendor, String node) throws IOException {
    String at = "sys/bus/pci/devices/" + address + "/";
    put(at + "class", type + "\n");
    put(at + "vendor", vendor + "\n");
    put(at + "device", "0x2330\n");
    put(at + "numa_node", node + "\n");
    put(at + "current_link_speed", "16.0 GT/s PCIe\n");
    put(at + "max_link_speed", "32.0 GT/s PCIe\n");
    put(at + "current_link_width", "16\n");
  }

  @Test
  void findsEveryCopyAndWhichComesFirst() throws IOException {
    String site = "home/me/venv/lib/python3.12/site-packages/";
    put(site + "torch/lib/libtorch_cpu.so", "");
    put(site + "torch/version.py", "__version__ = '2.11.0+cu130'\ncuda: Optional[str] = '13.0'\n");
    put(site + "torch-2.11.0.dist-info/INSTALLER", "uv\n");
    put(site + "nvidia_cudnn_cu13-9.17.1.4.dist-info/INSTALLER", "uv\n");
    put(site + "nvidia/cudnn/lib/libcudnn.so.9", "");
    put("opt/conda/lib/python3.11/site-packages/torch/lib/libtorch_cpu.so", "");
    put(
        "opt/conda/lib/python3.11/site-packages/torch/version.py",
        "__version__ = '2.1.0'\ncuda = '12.1'\n");
    put("opt/conda/conda-meta/pytorch-2.1.0-py3.11_cuda12.1_cudnn8.9.2_0.json", "{}");
    put("opt/conda/lib/libcudnn.so.8.9.2", "");
    put("usr/local/cuda-12.4/lib64/libcudart.so.12.4.127", "");
    put("usr/lib/x86_64-linux-gnu/libnccl.so.2.18.3", "");
    put("opt/old/libcudnn.so.9.1.0", "");
    put(
        "usr/local/cuda/version.json",
        "{\"cuda\": {\"name\": \"CUDA SDK\", \"version\": \"12.4.1\"}}");
    MachineSnapshot snapshot =
        live(
            Map.of(
                "VIRTUAL_ENV", "/home/me/venv", "LD_LIBRARY_PATH", "/opt/old", "HF_TOKEN", "hf_x"),
            NOTHING);
    Software software = snapshot.software();
    assertThat(software.torches().optional().orElseThrow())
        .extracting(Software.Torch::version, Software.Torch::installer)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple("2.11.0+cu130", "pip"),
            org.assertj.core.groups.Tuple.tuple("2.1.0", "conda"));
    assertThat(software.torch().optional().orElseThrow().cuda()).isEqualTo(Reading.of("13.0"));
    assertThat(software.copies("libcudnn"))
        .extracting(Software.Library::version)
        .containsExactly(Reading.of("9.17.1.4"), Reading.of("9.1.0"), Reading.of("8.9.2"));
    assertThat(software.copies("libcudnn").get(1).owner()).isEqualTo("LD_LIBRARY_PATH");
    assertThat(software.copies("libnccl").getFirst().owner()).isEqualTo("the system");
    assertThat(software.toolkit()).isEqualTo(Reading.of("12.4"));
    assertThat(software.packages().optional().orElseThrow())
        .extracting(Software.PythonPackage::name)
        .contains("pytorch", "torch", "nvidia-cudnn-cu13");
    assertThat(snapshot.environment().optional().orElseThrow()).doesNotContainKey("HF_TOKEN");
  }

  @Test
  void secretsAreNeverKept() {
    Map<String, String> environment =
        Map.of(
            "NCCL_DEBUG", "INFO",
            "NVIDIA_API_KEY", "nvapi-1234567890",
            "TORCH_HOME", "https://user:password@host/x",
            "CUDA_SECRET", "x",
            "DUOKA_NOTE", "hf_abcdefghijklmnop",
            "AWS_ACCESS_KEY_ID", "AKIA",
            "USER", "me");
    assertThat(EnvironmentFilter.filter(environment)).containsOnlyKeys("NCCL_DEBUG");
  }

  @Test
  void pathsToSecretsAreNeverKept() {
    Map<String, String> environment =
        Map.of(
            "NCCL_TOPO_FILE", "/etc/nccl/topo.xml",
            "LD_LIBRARY_PATH", "/opt/keys/lib:/usr/lib",
            "DUOKA_A", "/run/secrets/webhook",
            "DUOKA_B", "/home/me/.ssh/id_ed25519",
            "DUOKA_C", "/etc/tls/host.pem",
            "DUOKA_SECRET_FILE", "/tmp/x",
            "UCX_KEY_FILE", "/tmp/y",
            "TORCH_SIGNING_KEY", "z");
    assertThat(EnvironmentFilter.filter(environment))
        .containsOnlyKeys("NCCL_TOPO_FILE", "LD_LIBRARY_PATH");
  }

  @Test
  void theHardwareAloneIsReadWithoutCommandsAndSoftware() throws IOException {
    put("proc/cpuinfo", "model name\t: A CPU\n");
    put("home/me/venv/lib/python3.12/site-packages/torch/lib/libtorch_cpu.so", "");
    MachineSnapshot snapshot =
        LiveProbe.hardware(
            Presence.absent("no driver", "none"),
            new SystemFiles(root),
            Map.of("VIRTUAL_ENV", "/home/me/venv", "NCCL_DEBUG", "INFO"));
    assertThat(snapshot.host().cpu()).isEqualTo(Reading.of("A CPU"));
    assertThat(snapshot.environment().optional().orElseThrow()).containsKey("NCCL_DEBUG");
    assertThat(snapshot.software().torches().optional()).isEmpty();
    assertThat(snapshot.kernelEvents().why()).contains("not asked for");
  }

  @Test
  void aCaptureReadsBackAsTheSameMachine(@TempDir Path folder) throws IOException {
    put("proc/meminfo", "MemTotal: 1024 kB\nMemAvailable: 512 kB\n");
    put(
        "proc/self/limits",
        "Max open files            1024                 4096                 files\n");
    put("sys/fs/cgroup/memory.max", "max\n");
    device("0000:3b:00.0", "0x030200", "0x10de", "0");
    FakeMachine machine = new FakeMachine(2);
    CommandRunner commands =
        (command, _) ->
            switch (String.join(" ", command)) {
              case "nvidia-smi -q" ->
                  new CommandRunner.Result(
                      0,
                      machine.query()
                          + """
                              Serial Number                                      : 1654922001234
                          """);
              case "dmesg" ->
                  new CommandRunner.Result(
                      0,
                      """
                      [ 1.0] secret device of mine
                      [ 2.0] NVRM: Xid (PCI:0000:10:00): 79, pid=1, x
                      """);
              case "nvidia-smi topo -m" -> new CommandRunner.Result(9, "broken");
              default -> new CommandRunner.Result(127, "cannot start " + command.getFirst());
            };
    Path target = folder.resolve("captured");
    Map<String, String> environment = Map.of("NCCL_DEBUG", "INFO", "NCCL_TOKEN", "x");
    List<String> missing = new Capture(new SystemFiles(root), environment, commands).to(target);
    assertThat(missing).anyMatch(line -> line.startsWith("nvidia-smi topo -m: broken"));
    assertThat(Files.readString(target.resolve("nvidia-smi-q.txt")))
        .doesNotContain("1654922001234");
    assertThat(Files.readString(target.resolve("dmesg.txt"))).doesNotContain("secret device");
    assertThat(
            Json.parse(
                    Files.readAllBytes(target.resolve("manifest.json")),
                    "manifest",
                    dev.duoka.base.ErrorCode.FORMAT)
                .get("entries")
                .size())
        .isGreaterThan(10);

    MachineSnapshot read = FolderProbe.read(target);
    assertThat(read.notes()).isEmpty();
    assertThat(read.live()).isFalse();
    assertThat(read.gpuList()).hasSize(2);
    assertThat(read.driver().version()).isEqualTo(Reading.of("580.95.05"));
    assertThat(read.host().memory()).isEqualTo(Reading.of(1024L * 1024));
    assertThat(read.host().openFiles()).isEqualTo(Reading.of(1024L));
    assertThat(read.host().cgroupMemory()).isEqualTo(Reading.of(Host.UNLIMITED));
    assertThat(read.environment().optional().orElseThrow()).containsOnlyKeys("NCCL_DEBUG");
    assertThat(read.kernelEvents().optional().orElseThrow())
        .singleElement()
        .satisfies(event -> assertThat(event.code()).isEqualTo(79));
    assertThat(read.pci().optional().orElseThrow()).hasSize(1);

    assertThatThrownBy(() -> new Capture(new SystemFiles(root), environment, commands).to(target))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("not empty");
  }

  @Test
  void otherShapesOfTheSameOutputs() {
    SnapshotDraft facts = new SnapshotDraft();
    KernelLogReader.read(
        """
        Jun 1 12:00:00 host kernel: NVRM: Xid (0000:03:00): 31, Ch 00000010
        [ 7.1] NVRM: Xid (PCI:0000:3b:00): 63, pid='<unknown>', name=<unknown>, Row Remapper
        """,
        facts);
    assertThat(facts.kernelEvents).extracting(KernelEvent::code).containsExactly(31, 63);
    assertThat(facts.kernelEvents.getFirst().address()).isEqualTo("0000:03:00.0");

    String old =
        """
        ==============NVSMI LOG==============
        Driver Version : 470.57.02
        Attached GPUs : 1
        GPU 00000000:3B:00.0
            Product Name : Tesla V100-SXM2-32GB
            ECC Errors
                Volatile
                    Single Bit
                        Device Memory : 2
                        Total : 3
                    Double Bit
                        Total : 1
            Clocks Throttle Reasons
                Idle : Not Active
                HW Slowdown : Active
                    HW Thermal Slowdown : Active
            Power Readings
                Power Limit : 250.00 W
                Default Power Limit : 300.00 W
        """;
    SnapshotDraft volta = new SnapshotDraft();
    SmiQueryReader.read(old.replace("\n", "\r\n"), volta, "old");
    Gpu gpu = volta.gpus.build().getFirst();
    assertThat(gpu.health().corrected()).isEqualTo(Reading.of(3L));
    assertThat(gpu.health().uncorrected()).isEqualTo(Reading.of(1L));
    assertThat(gpu.power().limit()).isEqualTo(Reading.of(250.0));
    assertThat(gpu.throttle().optional().orElseThrow()).hasSize(2);
    assertThat(volta.driverVersions).containsOnlyKeys("470.57.02");

    SnapshotDraft csv = new SnapshotDraft();
    SmiCsvReader.read(
        """
        name, memory.total [MiB], clocks_throttle_reasons.active, index
        Tesla T4, 15360, 0x0000000000000004, 3
        broken line
        """,
        csv,
        "csv");
    assertThat(csv.gpus.build().getFirst().memoryTotal()).isEqualTo(Reading.of(15360L << 20));
    assertThat(csv.gpus.build().getFirst().index()).isEqualTo(3);
    assertThat(csv.notes).singleElement().asString().contains("broken line");

    SnapshotDraft shell = new SnapshotDraft();
    ShellReader.df(
        "Filesystem Size Used Avail Use% Mounted on\nshm 64M 0 64M 0% /dev/shm\n", shell);
    ShellReader.ulimit("open files (-n) 1024\nmax locked memory (kbytes, -l) 64\n", shell);
    ShellReader.numactl("available: 2 nodes (0-1)\nnode 0 cpus: 0 1\n", shell);
    assertThat(shell.host)
        .containsEntry(HostField.NUMA_NODES, "2")
        .containsEntry(HostField.SHM, Long.toString(64 << 20))
        .containsEntry(HostField.OPEN_FILES, "1024")
        .containsEntry(HostField.LOCKED_MEMORY, Long.toString(64 << 10));

    SnapshotDraft conda = new SnapshotDraft();
    PackageListReader.read(
        """
        # packages in environment at /opt/conda:
        #
        # Name  Version  Build  Channel
        pytorch                   2.1.0           py3.11_cuda12.1_cudnn8.9.2_0    pytorch
        torch                     2.4.0                    pypi_0    pypi
        zlib                      1.2.13               h5eee18b_0
        """,
        conda,
        "conda.txt");
    assertThat(conda.packages)
        .extracting(Software.PythonPackage::name, Software.PythonPackage::installer)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple("pytorch", "conda"),
            org.assertj.core.groups.Tuple.tuple("torch", "pip"));

    assertThat(CaptureText.of("\ufeffGPU".getBytes(StandardCharsets.UTF_8))).isEqualTo("GPU");
    byte[] wide = "\ufeffNVSMI".getBytes(StandardCharsets.UTF_16LE);
    assertThat(CaptureText.of(wide)).isEqualTo("NVSMI");
  }
}
