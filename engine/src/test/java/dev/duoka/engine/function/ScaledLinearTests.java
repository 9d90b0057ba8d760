package dev.duoka.engine.function;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.parameter.Initializer;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.engine.parameter.ParameterStore;
import dev.duoka.engine.precision.PrecisionPolicy;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.TestDevice;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Linear layers that multiply in 8 bits, against the same in bf16. */
class ScaledLinearTests {
  private static final double NOISE = 0.05; // of two factors with 3 bits of mantissa each

  @ParameterizedTest
  @EnumSource(Recompute.class)
  void staysNearBf16(Recompute recompute) {
    check(Device.CPU, recompute);
  }

  @Tag("cuda")
  @ParameterizedTest
  @EnumSource(Recompute.class)
  void staysNearBf16OnTheCard(Recompute recompute) {
    check(TestDevice.cuda(), recompute);
  }

  @Test
  void followsTheWeights() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        ParameterStore store = store(Device.CPU, 128, 128)) {
      new PrecisionPolicy(Precision.FP8).applyTo(store);
      Parameter weight = store.parameter("w");
      Tensor x = new Inputs(3, Dtype.BFLOAT16, Device.CPU).normal(128, 128);
      double[] before = forward(weight, x);
      Elementwise.mulInPlace(weight.value(), 2);
      store.valuesChanged();
      double[] after = forward(weight, x);
      for (int i = 0; i < before.length; i++) {
        assertThat(after[i]).isEqualTo(2 * before[i]);
      }
    }
  }

  @Test
  void leavesProductsOfOtherSizesAlone() {
    try (ParameterStore store = store(Device.CPU, 128, 192)) {
      new PrecisionPolicy(Precision.FP8).applyTo(store);
      assertThat(store.parameter("w").multipliesScaled(128)).isFalse();
    }
    try (ParameterStore store = store(Device.CPU, 128, 128)) {
      assertThat(store.parameter("w").multipliesScaled(128)).isFalse();
      new PrecisionPolicy(Precision.FP8).applyTo(store);
      assertThat(store.parameter("w").multipliesScaled(128)).isTrue();
      assertThat(store.parameter("w").multipliesScaled(7)).isFalse();
    }
  }

  /** As without one: how logits are rounded does not depend on what is trained. */
  @Test
  void aHeadWithAnAdapterStaysIn16Bits() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        ParameterStore store = frozenHead();
        ParameterStore down = store(Device.CPU, 16, 128);
        ParameterStore up = store(Device.CPU, 128, 16)) {
      Tensors.zero(down.parameter("w").value());
      Tensors.zero(up.parameter("w").value());
      Parameter weight = store.parameter("w");
      Inputs inputs = new Inputs(3, Dtype.BFLOAT16, Device.CPU);
      Copies.into(weight.value(), inputs.normal(128, 128));
      Tensor x = inputs.normal(128, 128);
      double[] expected = HostCopy.doubles(new OutputProjection(weight).logits(x));
      new PrecisionPolicy(Precision.FP8).applyTo(store);
      assertThat(weight.multipliesScaled(128)).isTrue();
      Lora.Part part = new Lora.Part(up.parameter("w"), null, 1, 0, 0);
      Lora lora = new Lora(down.parameter("w"), List.of(part), 1);
      assertThat(HostCopy.doubles(new OutputProjection(weight, lora, null).logits(x)))
          .isEqualTo(expected);
    }
  }

  private static ParameterStore frozenHead() {
    return new ParameterStore(
        List.of(ParameterSpec.plain("w", List.of(128L, 128L), new Initializer.Normal(1)).frozen()),
        new ParameterStore.Storage(Dtype.BFLOAT16, Device.CPU, 1, true));
  }

  private static double[] forward(Parameter weight, Tensor x) {
    try (Tape tape = Tape.inference()) {
      return HostCopy.doubles(tape.apply(new Linear(weight), Variable.constant(x)).value());
    }
  }

  private static void check(Device device, Recompute recompute) {
    double[][] truth = run(device, Recompute.NONE, Precision.BF16);
    double[][] scaled = run(device, recompute, Precision.FP8);
    for (int i = 0; i < truth.length; i++) {
      Numbers.assertClose("result " + i, scaled[i], truth[i], NOISE);
      assertThat(scaled[i]).as("result %d is of 8 bits", i).isNotEqualTo(truth[i]);
    }
  }

  /** Output, gradients of input and residual, and twice the weight gradient, all as numbers. */
  private static double[][] run(Device device, Recompute recompute, Precision precision) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        ParameterStore store = store(device, 384, 256)) {
      new PrecisionPolicy(precision).applyTo(store);
      Parameter weight = store.parameter("w");
      Inputs inputs = new Inputs(11, Dtype.BFLOAT16, device);
      Copies.into(weight.value(), inputs.normal(384, 256));
      store.valuesChanged();
      Tensor x = inputs.normal(512, 256);
      Tensor gradient = inputs.normal(512, 384);
      double[][] results = new double[3][];
      for (int pass = 0; pass < 2; pass++) { // the second adds to the weight gradient
        try (Tape tape = Tape.recording(recompute)) {
          Variable leaf = tape.leaf(x);
          Variable y =
              tape.block(
                  leaf,
                  (inner, in) -> inner.apply(new Linear(weight), inner.apply(new Add(), in, in)));
          results[0] = HostCopy.doubles(y.value());
          tape.backward(y, gradient);
          results[1] = HostCopy.doubles(leaf.gradient());
        }
      }
      results[2] = HostCopy.doubles(weight.gradient());
      return results;
    }
  }

  private static ParameterStore store(Device device, long out, long in) {
    return new ParameterStore(
        List.of(ParameterSpec.plain("w", List.of(out, in), new Initializer.Normal(1))),
        new ParameterStore.Storage(Dtype.BFLOAT16, device, 1, true));
  }
}
