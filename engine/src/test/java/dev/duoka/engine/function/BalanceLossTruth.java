package dev.duoka.engine.function;

import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The balance loss in plain Java, read from its formulas: {@code Σ f · P} per stretch, where {@code
 * f_e = experts / (k · T) · (tokens that chose e)} and {@code P_e} is the mean over the stretch of
 * the scores divided by their sum over all experts (softmax scores sum to 1).
 */
final class BalanceLossTruth {
  private BalanceLossTruth() {}

  static double evaluate(
      BalanceLoss loss, RouterRule rule, Tensor x, Tensor weight, @Nullable Tensor bias) {
    double[][] scores = scores(rule, x, weight);
    double[] offset = bias == null ? new double[rule.experts()] : HostCopy.doubles(bias);
    int stretch = Math.toIntExact(loss.tokensPerStretch());
    double sum = 0;
    for (int start = 0; start < scores.length; start += stretch) {
      double[] frequency = new double[rule.experts()];
      double[] probability = new double[rule.experts()];
      for (int token = start; token < start + stretch; token++) {
        for (int expert : choose(scores[token], offset, rule)) {
          frequency[expert] += (double) rule.experts() / (rule.expertsPerToken() * stretch);
        }
        double total = IntStream.range(0, rule.experts()).mapToDouble(of(scores[token])).sum();
        for (int expert = 0; expert < rule.experts(); expert++) {
          probability[expert] += scores[token][expert] / total / stretch;
        }
      }
      for (int expert = 0; expert < rule.experts(); expert++) {
        sum += frequency[expert] * probability[expert];
      }
    }
    return loss.gradientScale() * sum;
  }

  /** The scores of every token for every expert. */
  static double[][] scores(RouterRule rule, Tensor x, Tensor weight) {
    int tokens = Math.toIntExact(x.size(0));
    int width = Math.toIntExact(x.size(1));
    double[] xs = HostCopy.doubles(x);
    double[] ws = HostCopy.doubles(weight);
    double[][] scores = new double[tokens][rule.experts()];
    for (int token = 0; token < tokens; token++) {
      double total = 0;
      for (int expert = 0; expert < rule.experts(); expert++) {
        double logit = 0;
        for (int i = 0; i < width; i++) {
          logit += xs[token * width + i] * ws[expert * width + i];
        }
        scores[token][expert] =
            switch (rule.scoring()) {
              case SOFTMAX -> Math.exp(logit);
              case SIGMOID -> 1 / (1 + Math.exp(-logit));
            };
        total += scores[token][expert];
      }
      if (rule.scoring() == RouterRule.Scoring.SOFTMAX) {
        for (int expert = 0; expert < rule.experts(); expert++) {
          scores[token][expert] /= total;
        }
      }
    }
    return scores;
  }

  /** The experts of one token, in ascending order. */
  static int[] choose(double[] scores, double[] bias, RouterRule rule) {
    double[] ranked = new double[scores.length];
    for (int i = 0; i < ranked.length; i++) {
      ranked[i] = scores[i] + bias[i];
    }
    int perGroup = rule.experts() / rule.groups();
    double[] groupScores = new double[rule.groups()];
    for (int group = 0; group < rule.groups(); group++) {
      double[] members =
          IntStream.range(group * perGroup, (group + 1) * perGroup)
              .mapToDouble(of(ranked))
              .sorted()
              .toArray();
      groupScores[group] =
          switch (rule.groupScore()) {
            case MAXIMUM -> members[perGroup - 1];
            case SUM_OF_TOP_TWO ->
                members[perGroup - 1] + (perGroup > 1 ? members[perGroup - 2] : 0);
          };
    }
    int[] groups = best(groupScores, rule.topkGroups());
    for (int i = 0; i < ranked.length; i++) {
      int group = i / perGroup;
      if (IntStream.of(groups).noneMatch(g -> g == group)) {
        ranked[i] = Double.NEGATIVE_INFINITY;
      }
    }
    return best(ranked, rule.expertsPerToken());
  }

  private static int[] best(double[] values, int count) {
    return IntStream.range(0, values.length)
        .boxed()
        .sorted((a, b) -> Double.compare(values[b], values[a]))
        .limit(count)
        .mapToInt(Integer::intValue)
        .sorted()
        .toArray();
  }

  private static IntToDoubleFunction of(double[] values) {
    return i -> values[i];
  }
}
