package dev.duoka.model.layer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.Router;
import dev.duoka.engine.function.RouterRule;
import dev.duoka.engine.function.Routing;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.model.TinyModel;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.LedgerSnapshot;
import dev.duoka.tensor.testing.TestDevice;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class SelectionBiasTests {
  private static final Device DEVICE = TestDevice.current();

  private static SelectionBias first(TinyModel tiny) {
    return tiny.model().selectionBiases().getFirst();
  }

  private static void count(SelectionBias bias, long... assignments) {
    try (Tensor counts = HostCopy.fromLongs(assignments, DEVICE, assignments.length)) {
      bias.count(counts);
    }
  }

  @Test
  void movesAgainstTheLoad() {
    LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
    try (TinyModel tiny = new TinyModel("tiny-v3", DEVICE)) {
      SelectionBias bias = first(tiny);
      // Together 8 0 4 4 4 4 5 3: a mean of 4.
      count(bias, 8, 0, 0, 0, 2, 2, 0, 0);
      count(bias, 0, 0, 4, 4, 2, 2, 5, 3);
      bias.move(0.5);
      assertThat(HostCopy.doubles(bias.value())).containsExactly(-0.5, 0.5, 0, 0, 0, 0, -0.5, 0.5);
      // The count starts anew.
      count(bias, 1, 1, 1, 1, 1, 1, 1, 1);
      bias.move(0.5);
      assertThat(HostCopy.doubles(bias.value())).containsExactly(-0.5, 0.5, 0, 0, 0, 0, -0.5, 0.5);
    }
    before.assertUnchanged();
  }

  @Test
  void nothingCountedMovesNothing() {
    try (TinyModel tiny = new TinyModel("tiny-v3", DEVICE)) {
      first(tiny).move(0.5);
      assertThat(HostCopy.doubles(first(tiny).value())).containsOnly(0);
    }
  }

  /** Tokens that all like the same experts spread over the others as the bias moves. */
  @Test
  void evensOutAConstantSkew() {
    RouterRule rule =
        new RouterRule(
            8, 2, RouterRule.Scoring.SIGMOID, 1, 1, RouterRule.GroupScore.SUM_OF_TOP_TWO, true, 1);
    try (TinyModel tiny = new TinyModel("tiny-v3", DEVICE);
        Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      SelectionBias bias = first(tiny);
      Parameter router =
          tiny.model().parameters().parameters().stream()
              .filter(parameter -> parameter.name().endsWith("mlp.gate.weight"))
              .findFirst()
              .orElseThrow();
      long width = router.value().size(1);
      Inputs inputs = new Inputs(201, Dtype.FLOAT32, DEVICE);
      Tensor tokens = inputs.normal(256, width);
      // Every token has the same first element, which experts 0 and 1 love.
      double[] weights = HostCopy.doubles(inputs.normal(8, width));
      for (int expert = 0; expert < 8; expert++) {
        for (int i = 0; i < width; i++) {
          weights[expert * (int) width + i] *= 0.05;
        }
        weights[expert * (int) width] = expert < 2 ? 1 : 0;
      }
      Copies.into(router.value(), inputs.of(weights, 8, width));
      Copies.into(Views.narrow(tokens, 1, 0, 1), inputs.of(new double[] {2}, 1));
      double start = imbalance(router, rule, bias, tokens);
      for (int step = 0; step < 150; step++) {
        imbalance(router, rule, bias, tokens);
        bias.move(0.01);
      }
      double end = imbalance(router, rule, bias, tokens);
      assertThat(start).as("seed 201").isGreaterThan(3);
      assertThat(end).as("seed 201").isLessThan(1.3);
    }
  }

  /** Routes the tokens, counts, and returns the largest load over the mean load. */
  private static double imbalance(
      Parameter router, RouterRule rule, SelectionBias bias, Tensor tokens) {
    try (Scope _ = Scope.open();
        Tape tape = Tape.inference()) {
      Variable[] routed =
          tape.applyAll(new Router(router, rule, bias.value(), null), Variable.constant(tokens));
      Tensor counts = Routing.of(routed[1].value(), 8, tokens.dtype()).counts();
      bias.count(counts);
      long[] load = HostCopy.longs(counts);
      return Arrays.stream(load).max().orElse(0) * 8.0 / Arrays.stream(load).sum();
    }
  }
}
