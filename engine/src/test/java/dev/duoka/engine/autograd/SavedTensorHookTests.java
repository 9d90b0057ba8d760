package dev.duoka.engine.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.layout.Recompute;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.testing.LedgerSnapshot;
import dev.duoka.tensor.testing.TestDevice;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SavedTensorHookTests {
  private static final Device DEVICE = TestDevice.current();

  /** Moves tensors out to Java arrays and back. */
  private static class Elsewhere implements SavedTensorHook {
    /** A tensor as numbers; tickets are told apart by identity. */
    private static final class Ticket {
      final double[] values;
      final Dtype dtype;
      final long[] shape;

      Ticket(Tensor tensor) {
        values = HostCopy.doubles(tensor);
        dtype = tensor.dtype();
        shape = tensor.shape();
      }
    }

    private final Set<Object> away = new HashSet<>();
    private int packed;

    @Override
    public Object pack(String name, Tensor tensor) {
      packed++;
      try (tensor) {
        Ticket ticket = new Ticket(tensor);
        away.add(ticket);
        return ticket;
      }
    }

    @Override
    public Tensor unpack(String name, Object ticket) {
      assertThat(away.remove(ticket)).isTrue();
      Ticket mine = (Ticket) ticket;
      return HostCopy.fromDoubles(mine.values, mine.dtype, DEVICE, mine.shape);
    }

    @Override
    public void discard(String name, Object ticket) {
      assertThat(away.remove(ticket)).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource(Recompute.class)
  void changesNoBit(Recompute recompute) {
    try (Chain chain = new Chain(DEVICE)) {
      List<double[]> expected = chain.train(recompute, _ -> {});
      LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
      Elsewhere hook = new Elsewhere();
      List<double[]> actual = chain.train(recompute, tape -> tape.keepSavedTensorsWith(hook));
      assertThat(actual.get(0)).isEqualTo(expected.get(0));
      assertThat(actual.get(1)).isEqualTo(expected.get(1));
      assertThat(hook.packed).isGreaterThan(Chain.BLOCKS);
      assertThat(hook.away).isEmpty();
      before.assertUnchanged();
    }
  }

  @ParameterizedTest
  @EnumSource(Recompute.class)
  void holdsTheMemoryInBetween(Recompute recompute) {
    try (Chain chain = new Chain(DEVICE);
        Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        Tape tape = Tape.recording(recompute)) {
      Elsewhere hook = new Elsewhere();
      tape.keepSavedTensorsWith(hook);
      LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
      try (Scope _ = Scope.open()) {
        chain.loss(tape);
      }
      assertThat(hook.away).isNotEmpty();
      before.assertUnchanged();
    }
  }

  /** The second run of a block saves as much as a single run would have. */
  @Test
  void getsWhatARecomputedBlockSaves() {
    try (Chain chain = new Chain(DEVICE)) {
      Elsewhere once = new Elsewhere();
      chain.train(Recompute.NONE, tape -> tape.keepSavedTensorsWith(once));
      Elsewhere again = new Elsewhere();
      chain.train(Recompute.FULL, tape -> tape.keepSavedTensorsWith(again));
      assertThat(again.packed).isEqualTo(once.packed + Chain.BLOCKS);
      assertThat(again.away).isEmpty();
    }
  }

  @Test
  void failingToTakeATensorLeavesNoneBehind() {
    try (Chain chain = new Chain(DEVICE)) {
      LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
      Elsewhere hook =
          new Elsewhere() {
            @Override
            public Object pack(String name, Tensor tensor) {
              throw new IllegalStateException("no room");
            }
          };
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
          Tape tape = Tape.recording(Recompute.NONE)) {
        tape.keepSavedTensorsWith(hook);
        assertThatThrownBy(() -> chain.loss(tape)).hasMessage("no room");
      }
      before.assertUnchanged();
    }
  }

  @Test
  void getsEveryTicketBackWithoutABackwardPass() {
    try (Chain chain = new Chain(DEVICE)) {
      Elsewhere hook = new Elsewhere();
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
          Tape tape = Tape.recording(Recompute.NONE)) {
        tape.keepSavedTensorsWith(hook);
        chain.loss(tape);
        assertThat(hook.away).hasSize(hook.packed);
      }
      assertThat(hook.away).isEmpty();
    }
  }
}
