package dev.duoka.comm.nccl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.CardCommunicatorTests;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.ffi.nccl.Nccl;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class NcclCommunicatorTests extends CardCommunicatorTests {
  @Override
  protected Communicator over(Communicator host) {
    return NcclCommunicator.over(host, host.rank(), Duration.ofSeconds(20), ExchangeLedger.NONE);
  }

  @Test
  void theVersionIsOneThatCanBeTrusted() {
    assertThat(Nccl.find().orElseThrow().versionText()).matches("2\\.\\d+\\.\\d+");
  }
}
