package dev.duoka.diagnosis.verdict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.duoka.base.DuokaException;
import dev.duoka.diagnosis.log.LogSource;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class HealthyLogTests {
  @Test
  void noiseThatLooksAlarmingIsNoFinding() {
    Random random = new Random(7);
    String log = String.join("\n", Logs.healthy(random, 20_000));
    assertThat(Logs.diagnose(log).findings()).isEmpty();
  }

  @Test
  void anEmptyLogIsNotCalledHealthy() {
    assertThatExceptionOfType(DuokaException.class)
        .isThrownBy(() -> Logs.diagnose(""))
        .withMessageContaining("run.log is empty");
    LogSource empty = Logs.source("3/stderr.log", "");
    LogSource other = Logs.source("3/stdout.log", "step 1 loss 10.9\n");
    assertThat(Diagnosis.of(List.of(empty, other)).findings()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[    6.1] EXT4-fs (nvme1n1p3): re-mounted 1a2b r/w. Opts: errors=remount-ro",
        "[    6.1] EXT4-fs (dm-0): mounted filesystem with ordered data mode. Opts: errors=panic.",
        "2026-03-01 10:00:01 INFO registered handlers for SIGTERM, SIGSEGV, SIGBUS",
        "INFO restart policy: on OutOfMemoryError halve micro batch",
        "[sample 3] prompt: it says \"RuntimeError: CUDA out of memory. Tried to allocate 1.00"
            + " GiB\"",
        "[sample 3] answer: look at dmesg for NVRM: Xid (PCI:0000:3b:00): 79, or at the disk",
        "Question: what does Segmentation fault (core dumped) mean",
        "why does tar print \"No space left on device\"?",
        "[2026-03-01 10:00:01] evaluating \"segfault\" set: why Segmentation fault (core dumped)?",
        "{\"prompt\": \"RuntimeError: CUDA error: out of memory\", \"id\": 7}",
        "wandb: WARNING retrying after error: ConnectionResetError (attempt 2); succeeded"
      })
  void wordsThatOnlySpeakOfFailuresAreNoFinding(String line) {
    assertThat(Logs.diagnose(line + "\n").findings()).isEmpty();
  }

  @Test
  void aRunThatGoesOnAfterSetUpIsNoHang() {
    String log =
        """
        box:2942:3011 [1] NCCL INFO Channel 00/0 : 1[9b000] -> 0[9a000] via P2P/IPC
        box:2942:3011 [1] NCCL INFO comm 0x3df13c70 rank 1 nranks 2 cudaDev 1 busId 9b000 - Init COMPLETE
        step 1 loss 10.9
        """;
    assertThat(Logs.diagnose(log).findings()).isEmpty();
  }
}
