package dev.duoka.engine.function;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.engine.autograd.Variable;
import dev.duoka.layout.Recompute;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.LedgerSnapshot;
import dev.duoka.tensor.testing.TestDevice;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The gradients of every function against central finite differences, all in fp64. */
class GradientCheckTests {
  private static final long SEED = 101;

  static List<FunctionCase> cases() {
    return FunctionTable.cases();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void agreeWithFiniteDifferences(FunctionCase function) {
    LedgerSnapshot before = LedgerSnapshot.of(TestDevice.current());
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        Bench bench = new Bench(new Inputs(SEED, Dtype.FLOAT64, TestDevice.current()))) {
      function.setup().accept(bench);
      Map<String, double[]> gradients = bench.differentiate(Recompute.NONE);
      GradientCheck.againstFiniteDifferences("seed " + SEED, bench, gradients);
    }
    before.assertUnchanged();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void areTheSameWhenCheapOutputsAreRecomputed(FunctionCase function) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        Bench bench = new Bench(new Inputs(SEED, Dtype.FLOAT32, TestDevice.current()))) {
      function.setup().accept(bench);
      Map<String, double[]> kept = bench.differentiate(Recompute.NONE);
      bench.resetGradients();
      Map<String, double[]> recomputed = bench.differentiate(Recompute.SELECTIVE);
      kept.forEach((name, values) -> assertThat(recomputed.get(name)).as(name).isEqualTo(values));
    }
  }

  /** The check itself can fail. */
  @Test
  void aWrongGradientIsFound() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        Bench bench = new Bench(new Inputs(SEED, Dtype.FLOAT64, TestDevice.current()))) {
      bench.input(bench.random().coarse(3, 4));
      bench.computing((tape, in) -> new Variable[] {tape.apply(new SwiGlu(), in[0])});
      Map<String, double[]> gradients = bench.differentiate(Recompute.NONE);
      gradients.getOrDefault("gradient of input 0", new double[0])[5] += 1e-4;
      assertThatThrownBy(() -> GradientCheck.againstFiniteDifferences("wrong", bench, gradients))
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("gradient of input 0");
    }
  }
}
