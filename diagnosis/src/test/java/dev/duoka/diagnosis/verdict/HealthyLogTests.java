package dev.duoka.diagnosis.verdict;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

final class HealthyLogTests {
  @Test
  void noiseThatLooksAlarmingIsNoFinding() {
    Random random = new Random(7);
    String log = String.join("\n", Logs.healthy(random, 20_000));
    assertThat(Logs.diagnose(log).findings()).isEmpty();
  }

  @Test
  void anEmptyLogIsNoFinding() {
    Diagnosis diagnosis = Logs.diagnose("");
    assertThat(diagnosis.findings()).isEmpty();
    assertThat(diagnosis.lines()).isZero();
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
