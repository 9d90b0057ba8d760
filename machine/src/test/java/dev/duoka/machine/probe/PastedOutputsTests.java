package dev.duoka.machine.probe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.duoka.base.DuokaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class PastedOutputsTests {
  private static final String CSV =
      """
      index, name, pci.bus_id, driver_version
      0, NVIDIA A100-SXM4-80GB, 00000000:07:00.0, 550.54.15
      1, NVIDIA A100-SXM4-80GB, 00000000:0F:00.0, 550.54.15
      """;
  private static final String TABLE =
      """
      | NVIDIA-SMI 550.54.15              Driver Version: 550.54.15      CUDA Version: 12.4     |
      |   0  NVIDIA A100-SXM4-40GB          On  |   00000000:07:00.0 Off |                   On |
      | N/A   31C    P0             52W /  400W |      88MiB /  40960MiB |     N/A      Default |
      |                                         |                        |              Enabled |
      """;
  private static final String MIG =
      """
      | MIG devices:                                                                          |
      | GPU  GI  CI  MIG |                   Memory-Usage |        Vol|      Shared           |
      |  0    1   0   0  |              37MiB / 19968MiB  | 42      0 |  3   0    2    0    0 |
      |  0    2   0   1  |              37MiB / 19968MiB  | 42      0 |  3   0    2    0    0 |
      """;

  @TempDir Path folder;

  private MachineSnapshot read(String text) throws IOException {
    return FolderProbe.read(Files.writeString(folder.resolve("paste.txt"), text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"$ ", "root@gpu3:~# ", "(base) u@gpu3:~/run$ ", "[u@gpu3 run]$ "})
  void outputsAreToldApartByTheirPrompts(String prompt) throws IOException {
    MachineSnapshot snapshot =
        read(
            prompt
                + "nvidia-smi --query-gpu=index,name,pci.bus_id,driver_version --format=csv\n"
                + CSV
                + prompt
                + "df -h /dev/shm\n"
                + "Filesystem      Size  Used Avail Use% Mounted on\n"
                + "tmpfs            64M     0   64M   0% /dev/shm\n");
    assertThat(snapshot.gpuList()).hasSize(2);
    assertThat(snapshot.notes()).isEmpty();
  }

  @Test
  void aTableOfMigDevicesIsNoGpu() throws IOException {
    assertThat(read(TABLE + MIG).gpuList()).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Unable to determine the device handle for GPU0000:C1:00.0: Unknown Error",
        "WARNING: infoROM is corrupted at gpu 0000:07:00.0"
      })
  void anErrorUnderTheTableIsTold(String error) throws IOException {
    MachineSnapshot snapshot = read(TABLE + error + "\n");
    assertThat(snapshot.gpuList()).hasSize(1);
    assertThat(snapshot.notes()).singleElement().asString().contains(error);
  }

  @Test
  void nvmlThatFailedIsTheFaultNotAnUnknownOutput() {
    assertThatExceptionOfType(DuokaException.class)
        .isThrownBy(() -> read("Failed to initialize NVML: Driver/library version mismatch\n"))
        .withMessageContaining("version mismatch")
        .withMessageContaining("duoka diagnose");
  }
}
