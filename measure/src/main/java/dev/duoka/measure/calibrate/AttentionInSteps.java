package dev.duoka.measure.calibrate;

import dev.duoka.engine.autograd.FunctionObserver.Phase;
import dev.duoka.engine.autograd.Product;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.hardware.AttentionSample;
import dev.duoka.hardware.AttentionTable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * How much longer attention takes in a step than alone. A card at its power limit runs at a clock
 * that follows from all that it did lately, and attention draws less than the products around it:
 * in a step it runs at their clock, which on an H200 makes it a tenth slower where a step is short
 * and a quarter where it is long. Products take as long as alone.
 *
 * @param seen seconds of attention in steps
 */
record AttentionInSteps(Map<Product, Double> seen) {
  /** What was seen: how many head-tokens there were, and the factor. */
  private record Factor(double size, double value) {}

  /** Samples as they are in a step; the same where nothing was seen. */
  List<AttentionSample> of(List<AttentionSample> alone) {
    AttentionTable table = new AttentionTable(alone);
    return alone.stream()
        .map(
            it ->
                new AttentionSample(
                    it.heads(),
                    it.length(),
                    it.width(),
                    it.valueWidth(),
                    it.forward() * factor(factors(table, it, true), it),
                    it.backward() * factor(factors(table, it, false), it)))
        .toList();
  }

  /** Of the sample's widths where there are some, else of all. */
  private List<Factor> factors(AttentionTable table, AttentionSample of, boolean forward) {
    List<Factor> own = new ArrayList<>();
    List<Factor> all = new ArrayList<>();
    seen.forEach(
        (product, seconds) -> {
          boolean same = forward == (product.phase() == Phase.FORWARD);
          if (same && product.shape() instanceof ProductShape.Attention it) {
            double heads = (double) it.batch() * it.heads();
            double flops = heads * it.length() * it.keys() * (it.width() + it.valueWidth());
            double expected =
                table.seconds(
                    forward,
                    flops,
                    heads,
                    (double) it.length(),
                    (double) it.width(),
                    (double) it.valueWidth());
            Factor factor = new Factor(heads * it.length(), Math.max(1, seconds / expected));
            all.add(factor);
            if (it.width() == of.width() && it.valueWidth() == of.valueWidth()) {
              own.add(factor);
            }
          }
        });
    return own.isEmpty() ? all : own;
  }

  /** Between the smallest and the largest that were seen linear in the logarithm of the size. */
  private static double factor(List<Factor> factors, AttentionSample of) {
    if (factors.isEmpty()) {
      return 1;
    }
    Factor small = factors.stream().min(Comparator.comparingDouble(Factor::size)).orElseThrow();
    Factor large = factors.stream().max(Comparator.comparingDouble(Factor::size)).orElseThrow();
    if (small.size() == large.size()) {
      return factors.stream().mapToDouble(Factor::value).average().orElseThrow();
    }
    double size = (double) of.heads() * of.length();
    double share =
        Math.clamp(Math.log(size / small.size()) / Math.log(large.size() / small.size()), 0, 1);
    return small.value() + share * (large.value() - small.value());
  }
}
