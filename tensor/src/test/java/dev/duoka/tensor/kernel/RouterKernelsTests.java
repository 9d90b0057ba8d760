package dev.duoka.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.RouterKernels.Balance;
import dev.duoka.tensor.kernel.RouterKernels.Rule;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.Poison;
import dev.duoka.tensor.testing.TestDevice;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The choice of experts and its gradient against plain Java. */
@Tag("cuda")
class RouterKernelsTests {
  private static final Device DEVICE = TestDevice.cuda();
  private static final long SEED = 132;
  private static final int STRETCH = 11;

  /**
   * Tokens, experts, experts per token, sigmoid, groups, best groups, two best, normalise, bias.
   */
  private static final String[] RULES = {
    "11, 1, 1, false, 1, 1, false, false, false",
    "33, 6, 2, false, 1, 1, false, true, false",
    "33, 6, 5, true, 1, 1, false, true, true",
    "33, 33, 1, false, 1, 1, false, false, false",
    "286, 64, 6, false, 1, 1, false, false, false", // V2-Lite
    "286, 64, 8, true, 8, 3, true, true, true",
    "143, 160, 6, false, 8, 3, false, false, false", // V2
    "143, 160, 6, true, 32, 7, true, true, false",
    "143, 256, 8, true, 8, 4, true, true, true", // V3
    "143, 256, 8, false, 1, 1, false, true, true",
    "99, 257, 16, true, 1, 1, false, true, true",
    "99, 512, 32, false, 16, 4, true, true, false"
  };

  private record Case(Rule rule, Tensor logits, @Nullable Tensor bias) {}

  static String[] rules() {
    return RULES;
  }

  private static Case parse(String text) {
    String[] fields = text.split(", ");
    int experts = Integer.parseInt(fields[1]);
    Rule rule =
        new Rule(
            Integer.parseInt(fields[2]),
            Boolean.parseBoolean(fields[3]),
            Integer.parseInt(fields[4]),
            Integer.parseInt(fields[5]),
            Boolean.parseBoolean(fields[6]),
            Boolean.parseBoolean(fields[7]),
            2.5);
    Inputs inputs = new Inputs(SEED, Dtype.FLOAT32, DEVICE);
    Tensor logits = inputs.normal(Integer.parseInt(fields[0]), experts);
    return new Case(rule, logits, Boolean.parseBoolean(fields[8]) ? inputs.normal(experts) : null);
  }

  @ParameterizedTest
  @MethodSource("rules")
  void scoresChoosesAndWeighs(String text) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Case given = parse(text);
      Rule rule = given.rule();
      int experts = Math.toIntExact(given.logits().size(1));
      double[] logits = HostCopy.doubles(given.logits());
      Tensor scores = Tensors.copyOf(given.logits());
      Poison.freeMemory(DEVICE);
      Tensor[] result = RouterKernels.choose(scores, given.bias(), rule);
      Tensor again = Tensors.copyOf(given.logits());
      Poison.freeMemory(DEVICE);
      Tensor[] second = RouterKernels.choose(again, given.bias(), rule);
      assertThat(HostCopy.doubles(second[0])).isEqualTo(HostCopy.doubles(result[0]));
      assertThat(HostCopy.longs(second[1])).isEqualTo(HostCopy.longs(result[1]));

      double[] actual = HostCopy.doubles(scores);
      double[] bias = given.bias() == null ? new double[experts] : HostCopy.doubles(given.bias());
      int k = rule.expertsPerToken();
      for (int token = 0; token < given.logits().size(0); token++) {
        String what = text + ", seed " + SEED + ", token " + token;
        double[] expected = scores(row(logits, token, experts), rule.sigmoid());
        double[] its = row(actual, token, experts);
        Numbers.assertClose(what, its, expected, 3e-6);
        // From here on with the fp32 scores that the kernel has ranked.
        int[] choice = choose(its, bias, rule);
        assertThat(row(HostCopy.longs(result[1]), token, k))
            .as(what)
            .isEqualTo(IntStream.of(choice).asLongStream().toArray());
        double sum = rule.normalize() ? IntStream.of(choice).mapToDouble(e -> its[e]).sum() : 1;
        Numbers.assertClose(
            what,
            row(HostCopy.doubles(result[0]), token, k),
            IntStream.of(choice).mapToDouble(e -> rule.scale() * its[e] / sum).toArray(),
            3e-6);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"6, 3, 1, 1", "64, 6, 1, 1", "256, 8, 8, 4", "512, 16, 32, 3"})
  void ofEqualExpertsAndGroupsTheFirstAreTaken(int experts, int k, int groups, int bestGroups) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      for (boolean sigmoid : new boolean[] {false, true}) {
        Tensor logits = Tensors.full(0.5, Dtype.FLOAT32, DEVICE, 3, experts);
        Tensor[] result =
            RouterKernels.choose(
                logits, null, new Rule(k, sigmoid, groups, bestGroups, true, true, 1));
        assertThat(row(HostCopy.longs(result[1]), 2, k))
            .isEqualTo(LongStream.range(0, k).toArray());
      }
    }
  }

  /** An overflow must not become a write outside of a tensor. */
  @ParameterizedTest
  @CsvSource({"NaN", "Infinity", "-Infinity"})
  void choosesDifferentExpertsWhateverTheLogits(double logit) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      for (boolean sigmoid : new boolean[] {false, true}) {
        for (int groups : new int[] {1, 8}) {
          Rule rule = new Rule(8, sigmoid, groups, Math.min(groups, 4), true, true, 1);
          Tensor logits = new Inputs(SEED, Dtype.FLOAT32, DEVICE).normal(9, 160);
          Tensors.fill(Views.narrow(logits, 0, 0, 3), logit);
          Tensors.fill(Views.narrow(logits, 1, 30, 50), logit);
          long[] chosen = HostCopy.longs(RouterKernels.choose(logits, null, rule)[1]);
          for (int token = 0; token < 9; token++) {
            long[] its = row(chosen, token, 8);
            assertThat(LongStream.of(its).distinct().filter(e -> e >= 0 && e < 160).count())
                .isEqualTo(8);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("rules")
  void differentiates(String text) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Case given = parse(text);
      Rule rule = given.rule();
      Tensor scores = given.logits();
      Tensor chosen = RouterKernels.choose(scores, given.bias(), rule)[1];
      int experts = Math.toIntExact(scores.size(1));
      Tensor gradient =
          new Inputs(SEED + 1, Dtype.FLOAT32, DEVICE)
              .normal(scores.size(0), rule.expertsPerToken());
      Poison.freeMemory(DEVICE);
      Balance balance =
          new Balance(RouterKernels.countByStretch(chosen, experts, STRETCH), STRETCH, 0, 0.01);
      long[] counts = countByStretch(HostCopy.longs(chosen), rule.expertsPerToken(), experts);
      assertThat(HostCopy.ints(balance.counts()))
          .isEqualTo(LongStream.of(counts).mapToInt(Math::toIntExact).toArray());

      for (boolean weighted : new boolean[] {true, false}) {
        for (boolean balanced : new boolean[] {true, false}) {
          double[] expected =
              gradient(
                  HostCopy.doubles(scores),
                  HostCopy.longs(chosen),
                  weighted ? HostCopy.doubles(gradient) : null,
                  balanced ? counts : null,
                  rule,
                  experts);
          String what = text + ", weighted " + weighted + ", balanced " + balanced;
          Poison.freeMemory(DEVICE);
          Tensor dweights = weighted ? gradient : null;
          Balance its = balanced ? balance : null;
          Tensor wide = RouterKernels.backward(scores, chosen, dweights, its, rule, false);
          Numbers.assertClose(what, HostCopy.doubles(wide), expected, 1e-5);
          Tensor parts = RouterKernels.backward(scores, chosen, dweights, its, rule, true);
          Numbers.assertClose(what, sumOfParts(parts, experts), expected, 2e-5);
        }
      }
    }
  }

  private static double[] sumOfParts(Tensor parts, int experts) {
    double[] both = HostCopy.doubles(parts);
    double[] sums = new double[both.length / 2];
    for (int i = 0; i < sums.length; i++) {
      int start = i / experts * 2 * experts + i % experts;
      sums[i] = both[start] + both[start + experts];
    }
    return sums;
  }

  private static double[] scores(double[] logits, boolean sigmoid) {
    double largest = Arrays.stream(logits).max().orElseThrow();
    double[] scores =
        Arrays.stream(logits)
            .map(x -> sigmoid ? 1 / (1 + Math.exp(-x)) : Math.exp(x - largest))
            .toArray();
    double sum = sigmoid ? 1 : Arrays.stream(scores).sum();
    return Arrays.stream(scores).map(s -> s / sum).toArray();
  }

  private static int[] choose(double[] scores, double[] bias, Rule rule) {
    float[] ranked = new float[scores.length];
    for (int i = 0; i < ranked.length; i++) {
      ranked[i] = (float) scores[i] + (float) bias[i];
    }
    int size = ranked.length / rule.groups();
    float[] groups = new float[rule.groups()];
    for (int g = 0; g < groups.length; g++) {
      float[] members = Arrays.copyOfRange(ranked, g * size, (g + 1) * size);
      Arrays.sort(members);
      groups[g] = members[size - 1] + (rule.twoBest() && size > 1 ? members[size - 2] : 0);
    }
    int[] allowed = best(groups, rule.bestGroups());
    for (int i = 0; i < ranked.length; i++) {
      int group = i / size;
      if (IntStream.of(allowed).noneMatch(g -> g == group)) {
        ranked[i] = Float.NEGATIVE_INFINITY;
      }
    }
    return best(ranked, rule.expertsPerToken());
  }

  private static int[] best(float[] values, int count) {
    return IntStream.range(0, values.length)
        .boxed()
        .sorted(Comparator.comparingDouble((Integer i) -> -values[i])) // stable
        .limit(count)
        .mapToInt(Integer::intValue)
        .toArray();
  }

  private static long[] countByStretch(long[] chosen, int k, int experts) {
    long[] counts = new long[chosen.length / k / STRETCH * experts];
    for (int i = 0; i < chosen.length; i++) {
      counts[i / k / STRETCH * experts + Math.toIntExact(chosen[i])]++;
    }
    return counts;
  }

  private static double[] gradient(
      double[] allScores,
      long[] chosen,
      double @Nullable [] dweights,
      long @Nullable [] counts,
      Rule rule,
      int experts) {
    double[] result = new double[allScores.length];
    int k = rule.expertsPerToken();
    for (int token = 0; token < allScores.length / experts; token++) {
      double[] s = row(allScores, token, experts);
      double[] d = new double[experts];
      if (dweights != null) {
        int[] its = LongStream.of(row(chosen, token, k)).mapToInt(Math::toIntExact).toArray();
        double sum = rule.normalize() ? IntStream.of(its).mapToDouble(e -> s[e]).sum() : 1;
        double along = 0;
        for (int j = 0; j < k; j++) {
          along += rule.normalize() ? rule.scale() * dweights[token * k + j] * s[its[j]] / sum : 0;
        }
        for (int j = 0; j < k; j++) {
          d[its[j]] = (rule.scale() * dweights[token * k + j] - along) / sum;
        }
      }
      if (counts != null) {
        long[] its = row(counts, token / STRETCH, experts);
        double sum = rule.sigmoid() ? Arrays.stream(s).sum() : 1;
        double along =
            rule.sigmoid()
                ? IntStream.range(0, experts).mapToDouble(e -> 0.01 * its[e] * s[e] / sum).sum()
                : 0;
        for (int e = 0; e < experts; e++) {
          d[e] += (0.01 * its[e] - along) / sum;
        }
      }
      double along = IntStream.range(0, experts).mapToDouble(e -> d[e] * s[e]).sum();
      for (int e = 0; e < experts; e++) {
        result[token * experts + e] =
            rule.sigmoid() ? d[e] * s[e] * (1 - s[e]) : (d[e] - along) * s[e];
      }
    }
    return result;
  }

  private static double[] row(double[] values, int row, int width) {
    return Arrays.copyOfRange(values, row * width, (row + 1) * width);
  }

  private static long[] row(long[] values, int row, int width) {
    return Arrays.copyOfRange(values, row * width, (row + 1) * width);
  }
}
