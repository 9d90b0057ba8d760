package dev.duoka.comm.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.CardCommunicatorTests;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.local.LocalRanks;
import org.junit.jupiter.api.Test;

class PeerCommunicatorTests extends CardCommunicatorTests {
  @Override
  protected Communicator over(Communicator host) {
    return PeerCommunicator.over(host, host.rank(), ExchangeLedger.NONE);
  }

  @Test
  void ranksThatShareACardAreRefused() {
    assertThatThrownBy(
            () -> LocalRanks.run(2, host -> PeerCommunicator.over(host, 0, ExchangeLedger.NONE)))
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DEVICE))
        .hasMessageContaining("two ranks share cuda:0")
        .hasMessageContaining("copies");
  }
}
