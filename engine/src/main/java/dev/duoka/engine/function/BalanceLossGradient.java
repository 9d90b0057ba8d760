package dev.duoka.engine.function;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.RouterKernels;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;

/** The gradient of {@link BalanceLoss} with respect to the router's scores. */
final class BalanceLossGradient {
  private BalanceLossGradient() {}

  /** {@code [n, experts]}, from scores of that shape and the chosen experts {@code [n, k]}. */
  static Tensor of(BalanceLoss loss, RouterRule rule, Tensor scores, Tensor chosen) {
    long tokens = scores.size(0);
    Stretches stretches = Stretches.of(loss, tokens);
    Tensor row = stretches.ofTokens(tokens, scores.device());
    Tensor counts = stretches.counts(chosen, rule.experts());

    // f: the share of a stretch's assignments that each expert got, times the number of experts.
    Tensor frequency =
        Elementwise.mul(
            Copies.cast(counts, scores.dtype()), evenShare(rule, stretches.wholeLength()));
    // d loss / d (normalised score of token t) = scale · f / length of the stretch.
    Tensor perToken =
        Indexing.rows(
            Elementwise.mul(frequency, loss.gradientScale() / stretches.wholeLength()), row);
    return switch (rule.scoring()) {
      case SOFTMAX -> perToken; // normalised already
      case SIGMOID -> {
        Tensor sum = ComposedRouter.sumOfChosen(scores);
        yield ComposedRouter.quotientGradient(perToken, Elementwise.div(scores, sum), sum);
      }
    };
  }

  /** What the router's kernel needs to add it, from the chosen experts {@code [n, k]}. */
  static RouterKernels.Balance counted(BalanceLoss loss, RouterRule rule, Tensor chosen) {
    long tokens = chosen.size(0);
    Stretches stretches = Stretches.of(loss, tokens);
    Tensor counts =
        loss.share() == null
            ? RouterKernels.countByStretch(chosen, rule.experts(), stretches.length())
            : Copies.cast(stretches.counts(chosen, rule.experts()), Dtype.INT32);
    return new RouterKernels.Balance(
        counts,
        stretches.length(),
        stretches.first(),
        evenShare(rule, stretches.wholeLength()) * loss.gradientScale() / stretches.wholeLength());
  }

  private static double evenShare(RouterRule rule, long tokens) {
    return (double) rule.experts() / ((double) rule.expertsPerToken() * tokens);
  }

  /**
   * How the tokens here lie in stretches.
   *
   * @param first the place of the first token
   * @param length tokens of a stretch among those that places are counted in
   * @param wholeLength tokens of a stretch on all ranks
   * @param count of stretches
   */
  private record Stretches(
      long first, long length, long wholeLength, long count, BalanceLoss loss) {
    static Stretches of(BalanceLoss loss, long tokens) {
      BalanceLoss.Share share = loss.share();
      if (share != null) {
        return new Stretches(
            share.firstToken(),
            share.tokensPerStretch(),
            loss.tokensPerStretch(),
            share.stretches(),
            loss);
      }
      long length = Math.min(loss.tokensPerStretch(), tokens);
      return new Stretches(0, length, length, tokens / length, loss);
    }

    /** The stretch of each token, int64 {@code [n]}. */
    Tensor ofTokens(long tokens, Device device) {
      long[] stretch = new long[Math.toIntExact(tokens)];
      for (int i = 0; i < stretch.length; i++) {
        stretch[i] = Math.floorDiv(first + i, length);
      }
      return HostCopy.fromLongs(stretch, device, tokens);
    }

    /** How often each expert was chosen, fp64 {@code [stretches, experts]}, over all ranks. */
    Tensor counts(Tensor chosen, int experts) {
      long tokens = chosen.size(0);
      double[] firstPlaces = new double[Math.toIntExact(tokens)];
      for (int i = 0; i < firstPlaces.length; i++) {
        firstPlaces[i] = (double) (Math.floorDiv(first + i, length) * experts);
      }
      // In fp64, which is exact here: the library adds no integers.
      Tensor places =
          Elementwise.add(
              Copies.cast(chosen, Dtype.FLOAT64),
              HostCopy.fromDoubles(firstPlaces, Dtype.FLOAT64, chosen.device(), tokens, 1));
      Tensor flat = Tensors.zeros(Dtype.FLOAT64, chosen.device(), count * experts);
      Tensor ones = Tensors.full(1, Dtype.FLOAT64, chosen.device(), tokens * chosen.size(1));
      Indexing.scatterAdd(flat, 0, Views.reshape(Copies.cast(places, Dtype.INT64), -1), ones);
      Tensor counts = Views.reshape(flat, count, experts);
      BalanceLoss.Share share = loss.share();
      if (share != null) {
        share.sum().accept(counts);
      }
      return counts;
    }
  }
}
