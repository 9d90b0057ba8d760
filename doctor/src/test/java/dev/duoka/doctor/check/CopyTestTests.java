package dev.duoka.doctor.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.cuda.HostMemory;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Copies along made-up routes: a sound one, one that loses a bit, one that does nothing. */
final class CopyTestTests {
  private static final int BYTES = 4096;

  /** A route through arrays; a subclass breaks it. */
  private static class MadeUpRoute implements CopyRoute {
    final byte[] source = new byte[BYTES];
    final byte[] target = new byte[BYTES];

    @Override
    public boolean direct() {
      return true;
    }

    @Override
    public long seed() {
      return 7;
    }

    @Override
    public void clear(HostMemory zeros) {
      zeros.bytes().get(target);
    }

    @Override
    public void send(HostMemory pattern) {
      pattern.bytes().get(source);
    }

    @Override
    public void copy() {
      System.arraycopy(source, 0, target, 0, BYTES);
    }

    @Override
    public void receive(HostMemory arrived) {
      arrived.bytes().put(target);
    }

    @Override
    public void close() {}
  }

  private static CopyResult copy(CopyRoute route) {
    return CopyTest.copy("here to there", CopyResult.Kind.PEER, BYTES, () -> route);
  }

  @Test
  void whatArrivesWholeIsIntact() {
    CopyResult result = copy(new MadeUpRoute());
    assertThat(result.firstWrong()).isEqualTo(-1);
    assertThat(result.problem()).isEqualTo(Optional.empty());
    assertThat(result.direct()).isTrue();
    assertThat(result.bytes()).isEqualTo(BYTES);
    assertThat(result.gigabytesPerSecond()).isPositive();
  }

  @Test
  void aLostBitIsFoundAndPlaced() {
    CopyResult result =
        copy(
            new MadeUpRoute() {
              @Override
              public void copy() {
                super.copy();
                target[BYTES / 2] ^= 4;
              }
            });
    assertThat(result.firstWrong()).isEqualTo(BYTES / 2);
  }

  @Test
  void aCopyThatDoesNothingShows() {
    CopyResult result =
        copy(
            new MadeUpRoute() {
              @Override
              public void copy() {}
            });
    assertThat(result.firstWrong()).isGreaterThanOrEqualTo(0);
  }

  @Test
  void aCopyThatFailsSaysWhy() {
    CopyResult result =
        copy(
            new MadeUpRoute() {
              @Override
              public void copy() {
                throw new DuokaException(ErrorCode.DEVICE, "the link is down", "Repair it.");
              }
            });
    assertThat(result.problem().orElseThrow()).contains("the link is down");
  }

  @Test
  void sizesThatDoNotFitThePatternAreRefused() {
    assertThatThrownBy(() -> new CopyProbe(12)).isInstanceOf(IllegalArgumentException.class);
  }
}
