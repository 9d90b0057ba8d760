package dev.duoka.doctor.check;

import static dev.duoka.doctor.check.Faults.busy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Named.named;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.duoka.machine.probe.Reading;
import dev.duoka.machine.testing.FakeMachine;
import java.nio.file.Path;
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

/** Each check on a machine that nearly has its fault: it says nothing. */
final class NearMissTests {
  @TempDir Path folder = Path.of("");

  static Stream<Arguments> nearMisses() {
    return Stream.of(
        near("driver-module", m -> m.kernelLog.add("[ 12.3] nvidia: module license 'NVIDIA'")),
        near("lost-gpu", m -> m.cardsOnBus = 8),
        near("driver-cuda", m -> driver(m, "580.65.06")),
        near("version-line", m -> driver(m, "580.105.08")),
        near("cudnn", m -> replace(m, "libcudnn", "9.17.1.4")),
        near("nccl-version", m -> replace(m, "libnccl", "2.28.9")),
        near("architectures", m -> m.architectures = "sm_90"),
        near(
            "duplicate-torch",
            m -> m.packages.add(FakeMachine.installed("torchvision", "0.26", "pip", "/opt/venv"))),
        near("duplicate-libraries", m -> m.library("libcublas", "13.0.2", "the system")),
        near(
            "cuda-packages",
            m ->
                m.packages.add(
                    FakeMachine.installed("nvidia-cudnn-cu13", "9.17.1.4", "pip", "/opt/venv"))),
        near("pcie-width", m -> m.cards.get(1).generation = "4"),
        near(
            "pcie-generation",
            m -> {
              m.cards.get(0).generation = "1";
              m.cards.get(0).state = "P8";
            }),
        near("pcie-errors", m -> m.cards.get(0).replays = "1"),
        near("nvlink", m -> m.cards.forEach(card -> card.links = 12)),
        near("fabric", m -> m.cards.forEach(card -> card.fabric = "N/A")),
        near("acs", m -> m.acs = "SrcValid+ TransBlk- ReqRedir- CmpltRedir- UpstreamFwd-"),
        near(
            "iommu",
            m -> m.files.put("root/proc/cmdline", "root=/dev/sda1 intel_iommu=on iommu=pt")),
        near("numa", m -> m.files.put("root/proc/self/status", "Cpus_allowed_list:\t0-95\n")),
        near("shm", m -> m.shmKib = 64L << 20),
        near("memlock", m -> m.memlock = "1073741824"),
        near("open-files", m -> m.openFiles = "65536"),
        near("host-memory", m -> m.memoryKib = 1536L << 20),
        near("container-limits", m -> m.files.put("root/sys/fs/cgroup/cpu.max", "12800000 100000")),
        near("ecc", m -> m.cards.get(2).ecc = "N/A"),
        near("row-remap", m -> m.cards.get(2).remapPending = "N/A"),
        near("retired-pages", m -> m.cards.get(1).retiredSingle = "0"),
        near("xid", m -> m.kernelLog.add("[ 5.1] NVRM: loading NVIDIA UNIX Open Kernel Module")),
        near("recovery", m -> m.cards.get(0).recovery = "N/A"),
        near("power-cap", m -> m.cards.get(0).powerLimit = "700 W"),
        near("throttle", m -> m.cards.get(0).idle = "Not Active"),
        near("temperature", m -> m.cards.get(0).temperature = "75 C"),
        near("persistence", m -> m.cards.get(0).persistence = "N/A"),
        near(
            "clocks",
            m -> {
              busy(m.cards.get(0));
              m.cards.get(0).clock = "1905 MHz";
            }),
        near("compute-mode", m -> m.cards.get(0).computeMode = "N/A"),
        near("mig", m -> m.cards.get(0).mig = "N/A"),
        near("other-processes", m -> m.cards.get(0).memoryUsed = "400 MiB"),
        near("mixed-gpus", m -> m.cards.forEach(card -> card.name = "NVIDIA H200")),
        near("cuda-variables", m -> m.environment.put("CUDA_VISIBLE_DEVICES", "0,1,2,3,4,5,6,7")),
        near("nccl-variables", m -> m.environment.put("NCCL_DEBUG", "WARN")));
  }

  @ParameterizedTest(name = "{1}")
  @MethodSource("nearMisses")
  void saysNothing(String check, Consumer<FakeMachine> change) {
    FakeMachine machine = new FakeMachine(8);
    change.accept(machine);
    DoctorReport report =
        Doctor.examine(machine.snapshot(folder), Reading.unknown("none"), Optional.empty());
    assertThat(report.findings()).filteredOn(found -> found.check().equals(check)).isEmpty();
  }

  /** Those that a captured machine does not reach have near misses in tests of their own. */
  @Test
  void everyCheckHasANearMiss() {
    Set<String> tried =
        Stream.concat(
                nearMisses().map(arguments -> (String) arguments.get()[0]),
                Stream.of("driver", "copy", "planned-gpus"))
            .collect(Collectors.toSet());
    assertThat(tried)
        .containsExactlyInAnyOrderElementsOf(
            Checks.ALL.stream().map(check -> check.info().id()).toList());
  }

  private static Arguments near(String check, Consumer<FakeMachine> change) {
    return arguments(check, named(check, change));
  }

  private static void driver(FakeMachine machine, String version) {
    machine.driver = version;
    machine.module = version;
  }

  private static void replace(FakeMachine machine, String library, String version) {
    machine.libraries.removeIf(copy -> copy.name().equals(library));
    machine.library(library, version, "PyTorch in /opt/venv");
  }
}
