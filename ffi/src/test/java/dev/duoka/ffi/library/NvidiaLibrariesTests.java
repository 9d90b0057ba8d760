package dev.duoka.ffi.library;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NvidiaLibrariesTests {
  private static final List<String> NVRTC = List.of("libnvrtc.so.13", "libnvrtc.so.12");

  @TempDir private Path root;

  @Test
  void thoseBesidePyTorchComeFirstThenTheToolkitThenTheLoader() {
    MadeUpMachine machine = new MadeUpMachine(root);
    Path torch = machine.torch("site", "2.11.0+cu130", "13.0");
    Path packages = torch.resolve("../..").normalize();
    for (String folder :
        List.of(
            "site/nvidia/cuda_nvrtc/lib",
            "site/nvidia/cu13/lib",
            "usr/local/cuda-12.9/lib64",
            "usr/local/cuda-13.0/lib64",
            "usr/local/cuda/lib64")) {
      machine.folder(folder);
    }
    machine.write(root.resolve("site/nvidia/cuda_nvrtc/lib/libnvrtc.so.12"), "");
    machine.write(root.resolve("site/nvidia/cu13/lib/libnvrtc.so.13"), "");
    machine.write(root.resolve("usr/local/cuda-12.9/lib64/libnvrtc.so.12"), "");
    machine.write(root.resolve("usr/local/cuda-13.0/lib64/libnvrtc.so.13"), "");
    assertThat(new NvidiaLibraries(torch, root).candidates(NVRTC))
        .containsExactly(
            packages.resolve("nvidia/cu13/lib/libnvrtc.so.13").toString(),
            packages.resolve("nvidia/cuda_nvrtc/lib/libnvrtc.so.12").toString(),
            root.resolve("usr/local/cuda-13.0/lib64/libnvrtc.so.13").toString(),
            root.resolve("usr/local/cuda-12.9/lib64/libnvrtc.so.12").toString(),
            "libnvrtc.so.13",
            "libnvrtc.so.12");
  }

  @Test
  void findsHeadersBesideTheLibraries() {
    MadeUpMachine machine = new MadeUpMachine(root);
    Path torch = machine.torch("site", "2.11.0+cu130", "13.0");
    machine.folder("site/nvidia/cu13/lib");
    machine.write(machine.folder("site/nvidia/cu13/include").resolve("cuda_bf16.h"), "");
    machine.folder("usr/local/cuda/lib64");
    machine.folder("usr/local/cuda/include");
    assertThat(new NvidiaLibraries(torch, root).includeFolders())
        .containsExactly(torch.resolve("../../nvidia/cu13/include").normalize());
  }

  @Test
  void aMachineWithoutAnyHasOnlyTheLoader() {
    Path torch = new MadeUpMachine(root).torch("site", "2.11.0", "");
    assertThat(new NvidiaLibraries(torch, root).candidates(NVRTC)).isEqualTo(NVRTC);
  }
}
