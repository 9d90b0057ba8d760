package dev.duoka.engine.function;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.RouterRule.GroupScore;
import dev.duoka.engine.function.RouterRule.Scoring;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.TestDevice;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import org.assertj.core.data.Offset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Choice and weights of the router against plain Java. */
class RouterTests {
  @ParameterizedTest
  @CsvSource({
    "SOFTMAX, 1, 1, MAXIMUM, false, 1, false",
    "SOFTMAX, 1, 1, MAXIMUM, true, 2.5, false",
    "SOFTMAX, 4, 2, MAXIMUM, false, 16, false",
    "SIGMOID, 4, 2, SUM_OF_TOP_TWO, true, 2.5, true",
    "SIGMOID, 2, 1, SUM_OF_TOP_TWO, true, 1, true",
    "SIGMOID, 1, 1, SUM_OF_TOP_TWO, false, 1, true"
  })
  void choosesAndWeighs(
      Scoring scoring,
      int groups,
      int topkGroups,
      GroupScore groupScore,
      boolean normalize,
      double factor,
      boolean biased) {
    RouterRule rule =
        new RouterRule(12, 3, scoring, groups, topkGroups, groupScore, normalize, factor);
    for (long seed = 120; seed < 125; seed++) {
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
          Bench bench = new Bench(new Inputs(seed, Dtype.FLOAT64, TestDevice.current()))) {
        Parameter weight = bench.parameter("w", 12, 7);
        Tensor x = bench.random().normal(9, 7);
        Tensor bias = biased ? bench.random().normal(12) : null;
        Variable[] routed =
            Tape.inference().applyAll(new Router(weight, rule, bias, null), Variable.constant(x));
        double[] weights = HostCopy.doubles(routed[0].value());
        long[] chosen = HostCopy.longs(routed[1].value());
        double[][] scores = BalanceLossTruth.scores(rule, x, weight.value());
        double[] offset = bias == null ? new double[12] : HostCopy.doubles(bias);
        for (int token = 0; token < 9; token++) {
          int[] expected = BalanceLossTruth.choose(scores[token], offset, rule);
          int[] actual =
              Arrays.stream(chosen, token * 3, token * 3 + 3).mapToInt(Math::toIntExact).toArray();
          double sum = Arrays.stream(expected).mapToDouble(of(scores[token])).sum();
          for (int i = 0; i < 3; i++) {
            double score = scores[token][actual[i]];
            assertThat(weights[token * 3 + i])
                .isCloseTo(factor * (normalize ? score / sum : score), Offset.offset(1e-12));
          }
          Arrays.sort(actual);
          assertThat(actual).as("seed " + seed + ", token " + token).isEqualTo(expected);
        }
      }
    }
  }

  private static IntToDoubleFunction of(double[] values) {
    return i -> values[i];
  }
}
