package dev.duoka.engine.autograd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.testing.TestDevice;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RecomputeTests {
  private static final Device DEVICE = TestDevice.current();

  @ParameterizedTest
  @EnumSource(Recompute.class)
  void changesNoBit(Recompute recompute) {
    try (Chain chain = new Chain(DEVICE)) {
      List<double[]> expected = chain.train(Recompute.NONE, _ -> {});
      List<double[]> actual = chain.train(recompute, _ -> {});
      assertThat(actual.get(0)).isEqualTo(expected.get(0));
      assertThat(actual.get(1)).isEqualTo(expected.get(1));
    }
  }

  @Test
  void keepsLessFromNoneToFull() {
    try (Chain chain = new Chain(DEVICE)) {
      long none = keptAfterForward(chain, Recompute.NONE);
      long selective = keptAfterForward(chain, Recompute.SELECTIVE);
      long full = keptAfterForward(chain, Recompute.FULL);
      assertThat(selective).isLessThan(none);
      assertThat(full).isLessThan(selective);
    }
  }

  private static long keptAfterForward(Chain chain, Recompute recompute) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        Tape tape = Tape.recording(recompute)) {
      long before = activations();
      tape.hold(chain.loss(tape).value());
      return activations() - before;
    }
  }

  private static long activations() {
    return MemoryLedger.of(DEVICE).liveByOwner().getOrDefault(MemoryOwner.ACTIVATIONS, 0L);
  }
}
