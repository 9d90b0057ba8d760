package dev.duoka.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.testing.LedgerSnapshot;
import dev.duoka.tensor.testing.TestDevice;
import org.junit.jupiter.api.Test;

class TokenBatchTests {
  private static final Device DEVICE = TestDevice.current();
  private static final long NONE = -100;

  /**
   * Two sequences of five tokens: the first holds the end of one document (1 2 3) and the start of
   * another (4 5 …, which goes on with 6), the second one document that ends in it.
   */
  private static TokenBatch batch(int depth) {
    long[] tokens = {1, 2, 3, 4, 5, 11, 12, 13, 14, 15};
    long[] targets = {2, 3, NONE, 5, 6, 12, 13, 14, 15, NONE};
    return new TokenBatch(tokens, targets, 2, depth, DEVICE);
  }

  @Test
  void holdsTokensAndTargets() {
    LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
    try (TokenBatch batch = batch(0)) {
      assertThat(batch.tokens().shape()).containsExactly(2, 5);
      assertThat(batch.targets().shape()).containsExactly(10);
      assertThat(batch.sequences()).isEqualTo(2);
      assertThat(batch.predictionDepth()).isZero();
      assertThat(MemoryLedger.of(DEVICE).liveByOwner()).containsKey(MemoryOwner.BATCH);
    }
    before.assertUnchanged();
  }

  @Test
  void furtherTargetsStopAtTheEndOfADocument() {
    try (TokenBatch batch = batch(2)) {
      // The module sees the next token; where the sequence ends, the target says which it is.
      assertThat(HostCopy.longs(batch.furtherTokens(0)))
          .containsExactly(2, 3, 4, 5, 6, 12, 13, 14, 15, 0);
      assertThat(HostCopy.longs(batch.furtherTargets(0)))
          .containsExactly(3, NONE, NONE, 6, NONE, 13, 14, 15, NONE, NONE);
      assertThat(HostCopy.longs(batch.furtherTokens(1)))
          .containsExactly(3, 4, 5, 6, 0, 13, 14, 15, 0, 0);
      assertThat(HostCopy.longs(batch.furtherTargets(1)))
          .containsExactly(NONE, NONE, NONE, NONE, NONE, 14, 15, NONE, NONE, NONE);
    }
  }
}
