package dev.duoka.engine.autograd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.engine.function.Embedding;
import dev.duoka.engine.function.GroupedLinear;
import dev.duoka.engine.function.Linear;
import dev.duoka.engine.function.RmsNorm;
import dev.duoka.engine.function.Router;
import dev.duoka.engine.function.RouterRule;
import dev.duoka.engine.function.Routing;
import dev.duoka.engine.parameter.Initializer;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.engine.parameter.ParameterStore;
import dev.duoka.layout.Recompute;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.LedgerSnapshot;
import dev.duoka.tensor.testing.TestDevice;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Weight gradients may be asked for long after the input gradients, as zero-bubble schedules do:
 * after other work reused the temporary memory, and without the inputs.
 */
class SeparabilityTests {
  private static final Device DEVICE = TestDevice.current();

  /** Makes the function. */
  @FunctionalInterface
  interface Maker {
    Function of(Parameter weight);
  }

  /** A function with a parameter of this shape on rows of 16 numbers. */
  record Case(String name, List<Long> shape, Maker make) {
    @Override
    public String toString() {
      return name;
    }
  }

  static List<Case> cases() {
    RouterRule rule =
        new RouterRule(
            8, 2, RouterRule.Scoring.SIGMOID, 1, 1, RouterRule.GroupScore.MAXIMUM, true, 1);
    return List.of(
        new Case("linear", List.of(5L, 16L), Linear::new),
        new Case("rms norm", List.of(16L), weight -> new RmsNorm(weight, 1e-6)),
        new Case("router", List.of(8L, 16L), weight -> new Router(weight, rule, null, null)),
        new Case(
            "grouped linear", List.of(3L, 8L, 16L), weight -> new GroupedLinear(weight, routing())),
        new Case(
            "embedding",
            List.of(7L, 16L),
            weight ->
                new Embedding(weight, new Inputs(150, Dtype.FLOAT32, DEVICE).indices(7, 1, 6))));
  }

  private static Routing routing() {
    long[] chosen = {2, 0, 0, 2, 2, 0};
    return Routing.of(HostCopy.fromLongs(chosen, DEVICE, 6, 1), 3, Dtype.FLOAT32);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void laterIsTheSame(Case function) {
    try (ParameterStore store =
        new ParameterStore(
            List.of(ParameterSpec.plain("w", function.shape(), new Initializer.Constant(0))),
            new ParameterStore.Storage(Dtype.FLOAT32, DEVICE, 1, true))) {
      LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
      Parameter weight = store.parameter("w");
      try (Tensor values =
          new Inputs(151, Dtype.FLOAT32, DEVICE).normal(store.onlyBucket().length())) {
        Copies.into(store.onlyBucket().values(), values);
      }
      double[] atOnce = gradient(function, weight, false);
      store.resetGradients();
      double[] later = gradient(function, weight, true);
      assertThat(later).isEqualTo(atOnce);
      assertThat(later).isNotEqualTo(new double[later.length]);
      before.assertUnchanged();
    }
  }

  private static double[] gradient(Case what, Parameter weight, boolean later) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        Tape tape = Tape.recording(Recompute.NONE)) {
      Function function = what.make().of(weight);
      Tensor x = Scope.detach(new Inputs(152, Dtype.FLOAT32, DEVICE).normal(6, 16));
      Variable[] inputs =
          function instanceof Embedding ? new Variable[0] : new Variable[] {tape.leaf(x)};
      Tensor[] values = inputs.length == 0 ? new Tensor[0] : new Tensor[] {x};
      SavedTensors saved = new SavedTensors(tape, inputs);
      @Nullable Tensor[] gradOutputs;
      try (Scope scope = Scope.open()) {
        Tensor[] outputs = function.forward(saved, values);
        gradOutputs = new @Nullable Tensor[outputs.length];
        gradOutputs[0] =
            scope.keep(new Inputs(153, Dtype.FLOAT32, DEVICE).normal(outputs[0].shape()));
      }
      if (later) {
        try (Scope _ = Scope.open()) {
          function.inputGradients(saved, gradOutputs);
        }
        x.close();
        try (Scope _ = Scope.open()) { // takes the places of what was freed
          for (int i = 0; i < 50; i++) {
            Tensors.full(Double.NaN, Dtype.FLOAT32, DEVICE, 6, 16);
            Tensors.full(Double.NaN, Dtype.FLOAT32, DEVICE, 6, 8);
          }
        }
        function.weightGradients(saved, gradOutputs);
      } else {
        function.inputGradients(saved, gradOutputs);
        function.weightGradients(saved, gradOutputs);
        x.close();
      }
      saved.close();
    }
    return HostCopy.doubles(weight.gradient());
  }
}
