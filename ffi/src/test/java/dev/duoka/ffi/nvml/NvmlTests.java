package dev.duoka.ffi.nvml;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.ffi.cuda.ComputeCapability;
import dev.duoka.ffi.cuda.CudaVersion;
import dev.duoka.ffi.library.Presence;
import dev.duoka.ffi.link.MadeUpLibrary;
import dev.duoka.ffi.link.SignatureAudit;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** NVML against a made-up library in C: signatures, structs, units, and what is absent. */
class NvmlTests {
  @TempDir private static Path folder;

  private static Nvml nvml() {
    return Nvml.open(List.of(MadeUpLibrary.compile("made_up_nvml", folder).toString()))
        .orElseThrow();
  }

  @Test
  void readsTheSystem() {
    Nvml nvml = nvml();
    assertThat(nvml.driverVersion()).contains("580.65.06");
    assertThat(nvml.nvmlVersion()).contains("13.580.65.06");
    assertThat(nvml.cudaDriverVersion()).contains(new CudaVersion(13, 0));
    assertThat(nvml.devices()).hasSize(2);
    assertThat(nvml.device("gpu-2").map(NvmlDevice::index)).contains(1);
    assertThat(nvml.device("GPU-3")).isEmpty();
  }

  @Test
  void readsADevice() {
    NvmlDevice device = nvml().devices().get(0);
    assertThat(device.name()).contains("Made-up card");
    assertThat(device.uuid()).contains("GPU-1");
    assertThat(device.pciBusId()).contains("00000000:1B:00.0");
    assertThat(device.computeCapability()).contains(new ComputeCapability(9, 0));
    assertThat(device.memory())
        .contains(new MemoryUse(80_000_000_001L, 600_000_002, 70_000_000_003L, 9_000_000_004L));
    assertThat(device.utilization()).contains(new Utilization(97, 41));
    assertThat(device.temperature()).contains(64);
    assertThat(device.power())
        .contains(new Power(Optional.of(654.321), Optional.of(650.0), Optional.of(700.0)));
    assertThat(device.energy()).contains(12_345_678.901);
    assertThat(device.clocks())
        .contains(new Clocks(1001, 1002, Optional.of(2001), Optional.of(2002)));
    assertThat(device.throttleReasons().orElseThrow())
        .containsExactlyInAnyOrder(ThrottleReason.POWER_CAP, ThrottleReason.SOFTWARE_THERMAL);
    PcieLink link = device.pcieLink().orElseThrow();
    assertThat(link).isEqualTo(new PcieLink(4, 8, 5, 16));
    assertThat(link.narrowed()).isTrue();
  }

  @Test
  void readsLinksAndErrors() {
    List<NvmlDevice> devices = nvml().devices();
    assertThat(devices.get(0).nvLinks())
        .containsExactly(
            link(0, true, NvLink.Remote.SWITCH, "00000000:A0:00.0"),
            link(1, false, NvLink.Remote.GPU, "00000000:A1:00.0"),
            link(2, true, NvLink.Remote.GPU, "00000000:A2:00.0"));
    assertThat(devices.get(0).ecc())
        .contains(
            new Ecc(true, false, Optional.of(70_000_000_000L), Optional.of(1L), Optional.empty()));
    assertThat(devices.get(0).topologyTo(devices.get(1))).contains(TopologyLevel.NUMA_NODE);
    assertThat(devices.get(0).p2pStatus(devices.get(1), P2pCapability.NVLINK))
        .contains(P2pStatus.OK);
    assertThat(devices.get(0).p2pStatus(devices.get(1), P2pCapability.READ))
        .contains(P2pStatus.TOPOLOGY_NOT_SUPPORTED);
  }

  @Test
  void readsTraffic() {
    NvmlDevice device = nvml().devices().get(0);
    assertThat(device.pcieTraffic()).contains(new Traffic(7000, 3_000_000_000_000L));
    assertThat(device.nvLinkBytes()).contains(new Traffic(5_120_000_000_000L, 4_096_000_000_000L));
  }

  /** Memory is the metric that this device lacks; the other device has no counters at all. */
  @Test
  void readsTheDevicesOwnCountersBetweenTwoMoments() {
    GpmMeter meter = nvml().devices().get(0).gpm();
    assertThat(meter.read()).as("nothing to compare with").isEqualTo(GpmReading.NONE);
    GpmReading expected =
        new GpmReading(
            Optional.of(2.5),
            Optional.of(5.5),
            Optional.empty(),
            Optional.of(new Traffic(mebibytes(61), mebibytes(60))),
            Optional.of(new Traffic(mebibytes(20), mebibytes(21))));
    assertThat(meter.read()).isEqualTo(expected);
    assertThat(meter.read()).as("each against the one before").isEqualTo(expected);
    GpmMeter old = nvml().devices().get(1).gpm();
    assertThat(old.read()).isEqualTo(GpmReading.NONE);
    assertThat(old.read()).isEqualTo(GpmReading.NONE);
  }

  private static long mebibytes(int metric) {
    return metric * 1_048_576L + 524_288;
  }

  private static NvLink link(int link, boolean active, NvLink.Remote remote, String bus) {
    return new NvLink(link, active, Optional.of(4 + link), Optional.of(remote), Optional.of(bus));
  }

  @Test
  void listsProcessesBeyondTheFirstRoom() {
    NvmlDevice device = nvml().devices().get(0);
    assertThat(device.memoryOf(1019)).contains(5_000_000_019L);
    assertThat(device.memoryOf(1003)).as("value not available").isEmpty();
    assertThat(device.memoryOf(4)).isEmpty();
  }

  @Test
  void whatAnOldDeviceLacksIsEmpty() {
    NvmlDevice device = nvml().devices().get(1);
    assertThat(device.memory())
        .as("the older struct")
        .contains(new MemoryUse(8_000_000_001L, 0, 5_000_000_002L, 3_000_000_003L));
    assertThat(device.utilization()).isEmpty();
    assertThat(device.power()).isEmpty();
    assertThat(device.clocks()).isEmpty();
    assertThat(device.pcieLink()).isEmpty();
    assertThat(device.nvLinks()).isEmpty();
    assertThat(device.pcieTraffic()).isEmpty();
    assertThat(device.nvLinkBytes()).isEmpty();
    assertThat(device.ecc()).isEmpty();
    assertThat(device.throttleReasons()).isEmpty();
    assertThat(device.memoryOfThisProcess()).isEmpty();
  }

  @Test
  void aMachineWithoutTheLibrarySaysSo() {
    assertThat(Nvml.open(List.of("libnvidia-ml-not-there.so.1")))
        .isInstanceOfSatisfying(
            Presence.Absent.class,
            absent -> assertThat(absent.reason()).contains("libnvidia-ml-not-there.so.1"));
  }

  @Test
  void signaturesMatchTheHeaders() {
    assertThat(new NativeNvml(SignatureAudit.everySymbol())).isNotNull();
    assertThat(SignatureAudit.mismatches()).isEmpty();
  }

  /** A compiler lays the structs out; the Java layouts must agree in size and in every offset. */
  @Test
  void structsMatchTheHeaders() {
    List<StructLayout> structs =
        List.of(
            NvmlLayouts.MEMORY,
            NvmlLayouts.MEMORY_V2,
            NvmlLayouts.UTILIZATION,
            NvmlLayouts.PCI_INFO,
            NvmlLayouts.EVENT_DATA,
            NvmlLayouts.PROCESS_INFO,
            NvmlLayouts.FIELD_VALUE,
            NvmlLayouts.GPM_SUPPORT,
            NvmlLayouts.GPM_METRIC,
            NvmlLayouts.GPM_METRICS_GET);
    StringBuilder program =
        new StringBuilder("#include \"prototypes.h\"\n#include <stdio.h>\nint main(void) {\n");
    StringBuilder expected = new StringBuilder();
    for (StructLayout struct : structs) {
      String name = struct.name().orElseThrow();
      program.append("printf(\"%zu\\n\", sizeof(").append(name).append("));\n");
      expected.append(struct.byteSize()).append('\n');
      for (MemoryLayout member : struct.memberLayouts()) {
        if (member.name().isPresent()) {
          String field = member.name().get();
          program.append("printf(\"%zu\\n\", offsetof(");
          program.append(name).append(", ").append(field).append("));\n");
          expected
              .append(struct.byteOffset(MemoryLayout.PathElement.groupElement(field)))
              .append('\n');
        }
      }
    }
    assertThat(MadeUpLibrary.runProgram(program.append("}\n").toString(), folder))
        .isEqualTo(expected.toString());
  }
}
