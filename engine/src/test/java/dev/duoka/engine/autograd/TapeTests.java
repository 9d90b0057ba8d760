package dev.duoka.engine.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.engine.function.Add;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.layout.Recompute;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.testing.LedgerSnapshot;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.TestDevice;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TapeTests {
  private static final Device DEVICE = TestDevice.current();

  @ParameterizedTest
  @EnumSource(Recompute.class)
  void announcesEachGradientOnceAfterItsLastUse(Recompute recompute) {
    try (Chain chain = new Chain(DEVICE)) {
      List<String> ready = new ArrayList<>();
      List<double[]> seen = new ArrayList<>();
      chain.train(
          recompute,
          tape ->
              tape.onGradientReady(
                  parameter -> {
                    ready.add(parameter.name());
                    seen.add(HostCopy.doubles(parameter.gradient()));
                  }));
      // From the last block to the first; the embedding is used at both ends, so it comes last.
      assertThat(ready).hasSize(3 * Chain.BLOCKS + 1).doesNotHaveDuplicates();
      assertThat(ready.getLast()).isEqualTo("embedding");
      assertThat(ready.subList(0, 3)).allMatch(name -> name.endsWith(" 2"));
      assertThat(ready.subList(6, 9)).allMatch(name -> name.endsWith(" 0"));
      for (int i = 0; i < ready.size(); i++) {
        Parameter parameter = chain.store.parameter(ready.get(i));
        assertThat(HostCopy.doubles(parameter.gradient())).as(ready.get(i)).isEqualTo(seen.get(i));
      }
      assertThat(chain.store.parameter("unused").gradientIsFresh()).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource(Recompute.class)
  void leavesNothingBehind(Recompute recompute) {
    try (Chain chain = new Chain(DEVICE)) {
      LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
      chain.train(recompute, _ -> {});
      before.assertUnchanged();
    }
  }

  @ParameterizedTest
  @EnumSource(Recompute.class)
  void closedWithoutBackwardLeavesNothingBehind(Recompute recompute) {
    try (Chain chain = new Chain(DEVICE)) {
      LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
          Tape tape = Tape.recording(recompute)) {
        assertThat(HostCopy.item(chain.loss(tape).value())).isPositive();
      }
      before.assertUnchanged();
    }
  }

  @Test
  void gradientsAddUpOverPasses() {
    try (Chain chain = new Chain(DEVICE)) {
      double[] once = chain.train(Recompute.NONE, _ -> {}).get(1);
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
          Tape tape = Tape.recording(Recompute.NONE)) {
        tape.backward(chain.loss(tape));
      }
      double[] twice = HostCopy.doubles(chain.store.onlyBucket().gradients());
      for (int i = 0; i < once.length; i++) {
        once[i] *= 2;
      }
      Numbers.assertClose("two passes", twice, once, 1e-6);
    }
  }

  @Test
  void inferenceKeepsNothingAndGivesTheSameLoss() {
    try (Chain chain = new Chain(DEVICE)) {
      double[] trained = chain.train(Recompute.NONE, _ -> {}).get(0);
      LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
      try (Tape tape = Tape.inference()) {
        try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
          Variable loss = chain.loss(tape);
          assertThat(loss.needsGradient()).isFalse();
          assertThat(HostCopy.doubles(loss.value())).isEqualTo(trained);
        }
        before.assertUnchanged();
      }
    }
  }

  @Test
  void onlyLeavesKeepGradients() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        Tape tape = Tape.recording(Recompute.NONE)) {
      Variable leaf = tape.leaf(Tensors.full(2, Dtype.FLOAT32, DEVICE, 1));
      Variable constant = Variable.constant(Tensors.full(3, Dtype.FLOAT32, DEVICE, 1));
      Variable unused = tape.leaf(Tensors.full(2, Dtype.FLOAT32, DEVICE, 1));
      Variable sum = tape.apply(new Add(), leaf, constant);
      assertThatThrownBy(leaf::gradient).isInstanceOf(IllegalStateException.class);
      tape.backward(sum);
      assertThat(HostCopy.item(leaf.gradient())).isEqualTo(1);
      assertThatThrownBy(sum::gradient).hasMessageContaining("leaf");
      assertThatThrownBy(unused::gradient).hasMessageContaining("reached");
      assertThatThrownBy(constant::gradient).hasMessageContaining("leaf");
    }
  }

  @Test
  void refusesToDifferentiateAConstant() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        Tape tape = Tape.recording(Recompute.NONE)) {
      Tensor one = Tensors.full(1, Dtype.FLOAT32, DEVICE, 1);
      Variable sum = tape.apply(new Add(), Variable.constant(one), Variable.constant(one));
      assertThatThrownBy(() -> tape.backward(sum, one))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("nothing to differentiate");
    }
  }

  @Test
  void aFailureInEitherPassLeavesNothingBehind() {
    for (boolean inBackward : new boolean[] {false, true}) {
      try (Chain chain = new Chain(DEVICE)) {
        LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
        assertThatThrownBy(
                () -> {
                  try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
                      Tape tape = Tape.recording(Recompute.SELECTIVE)) {
                    Variable loss = tape.apply(new Failing(inBackward), chain.loss(tape));
                    tape.backward(tape.apply(new Add(), loss, loss));
                  }
                })
            .hasMessage("on purpose");
        before.assertUnchanged();
      }
    }
  }

  /** Fails in one of the passes, with tensors in its hands. */
  private static final class Failing extends Function {
    private final boolean inBackward;

    Failing(boolean inBackward) {
      this.inBackward = inBackward;
    }

    @Override
    public String name() {
      return "failing";
    }

    @Override
    public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
      Tensor copy = Tensors.copyOf(inputs[0]);
      saved.save("copy", copy);
      if (!inBackward) {
        throw new UnsupportedOperationException("on purpose");
      }
      return new Tensor[] {copy};
    }

    @Override
    public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
      Tensors.copyOf(saved.get("copy"));
      throw new UnsupportedOperationException("on purpose");
    }
  }
}
