package dev.duoka.engine.autograd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.engine.function.Add;
import dev.duoka.engine.function.Linear;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.layout.Recompute;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.TestDevice;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

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

  /** On a GPU the gradient kernels compute the outputs that were not kept. */
  @ParameterizedTest
  @Tag("cuda")
  @EnumSource(
      value = Dtype.class,
      names = {"FLOAT32", "BFLOAT16", "FLOAT16"})
  void changesNoBitOnAGpu(Dtype dtype) {
    try (Chain chain = new Chain(TestDevice.cuda(), dtype)) {
      List<double[]> expected = chain.train(Recompute.NONE, _ -> {});
      assertThat(chain.train(Recompute.SELECTIVE, _ -> {}).get(1)).isEqualTo(expected.get(1));
      assertThat(chain.train(Recompute.FULL, _ -> {}).get(1)).isEqualTo(expected.get(1));
    }
  }

  /** Of the second run of a block: what nobody reads is not computed, what is read outside is. */
  @Test
  void aBlockComputesAgainOnlyWhatGradientsRead() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        Tape tape = Tape.recording(Recompute.FULL)) {
      Twice first = new Twice(false);
      Twice readOutside = new Twice(false);
      Twice last = new Twice(false);
      Variable x = tape.leaf(new Inputs(8, Dtype.FLOAT32, DEVICE).normal(5, 24));
      Variable output =
          tape.block(
              x,
              (here, input) -> {
                Variable middle = here.apply(first, input);
                Tensor read = here.apply(readOutside, middle).value();
                assertThat(read.size(0)).isEqualTo(5);
                return here.apply(new Add(), input, here.apply(last, middle));
              });
      tape.backward(output, Elementwise.mul(x.value(), 1));
      assertThat(first.forwards).isEqualTo(2);
      assertThat(readOutside.forwards).isEqualTo(2);
      assertThat(last.forwards).isEqualTo(1);
      assertThat(HostCopy.doubles(x.gradient()))
          .isEqualTo(HostCopy.doubles(Elementwise.mul(x.value(), 5)));
    }
  }

  /** Twice its input; counts how often it computes that forward. */
  private static final class Twice extends Function {
    private final boolean givesOutputs;
    private int forwards;

    Twice(boolean givesOutputs) {
      this.givesOutputs = givesOutputs;
    }

    @Override
    public String name() {
      return "twice";
    }

    @Override
    public boolean isCheap() {
      return true;
    }

    @Override
    public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
      saved.saveInput("x", 0);
      forwards++;
      return new Tensor[] {Elementwise.mul(inputs[0], 2)};
    }

    @Override
    public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
      if (givesOutputs && saved.wantsOutputsAgain()) {
        saved.giveOutputsAgain(Elementwise.mul(saved.get("x"), 2));
      }
      return new @Nullable Tensor[] {Elementwise.mul(only(gradOutputs), 2)};
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aGradientPassMayGiveTheOutputThatAWeightGradientNeeds(boolean givesOutputs) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        Chain chain = new Chain(DEVICE);
        Tape tape = Tape.recording(Recompute.SELECTIVE)) {
      Parameter weight = chain.store.parameter("up 0");
      Inputs inputs = new Inputs(7, Dtype.FLOAT32, DEVICE);
      Tensor x = inputs.normal(5, 24);
      Tensor gradient = inputs.normal(5, 128);
      Twice twice = new Twice(givesOutputs);
      Variable doubled = tape.apply(twice, tape.leaf(x));
      tape.backward(tape.apply(new Linear(weight), doubled), gradient);
      assertThat(twice.forwards).isEqualTo(givesOutputs ? 1 : 2);
      double[] expected = HostCopy.doubles(Products.mmTransposedA(gradient, Elementwise.mul(x, 2)));
      Numbers.assertClose("seed 7", HostCopy.doubles(weight.gradient()), expected, 1e-5);
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
