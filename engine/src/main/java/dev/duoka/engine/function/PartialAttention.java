package dev.duoka.engine.function;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;

/**
 * Attention of queries to some of their keys, whose results are put together with those of the
 * other keys by the logarithms of their sums (Liu et al., Ring Attention, arXiv:2310.01889 §3).
 *
 * <p>Query {@code [b, heads, t, w]}, key {@code [b, kvHeads, s, w]}, value {@code [b, kvHeads, s,
 * v]}; causal only where {@code t = s}, and then query i sees the keys up to i.
 */
public final class PartialAttention {
  private PartialAttention() {}

  /**
   * The output {@code [b, heads, t, v]}, and the log-sum-exp of the scores {@code [b, heads, t]}.
   *
   * @param manyShapes whether lengths change all the time, so that a kernel that prepares for each
   *     is not worth it
   */
  public static Tensor[] forward(
      Tensor query, Tensor key, Tensor value, boolean causal, double scale, boolean manyShapes) {
    AttentionKernel kernel = kernel(query, value, manyShapes);
    Tensor keys = kernel.groupsHeads() ? key : Attention.repeatHeads(key, query.size(1));
    Tensor values = kernel.groupsHeads() ? value : Attention.repeatHeads(value, query.size(1));
    if (kernel == AttentionKernel.REFERENCE) {
      return composed(query, keys, values, causal, scale);
    }
    Tensor[] results = kernel.forward(query, keys, values, causal, scale);
    return new Tensor[] {results[0], Views.reshape(results[1], shapeOfSums(query))};
  }

  /**
   * The gradients of query, key and value through these keys alone.
   *
   * @param gradient of the whole output, {@code [b, heads, t, v]}
   * @param output of all keys together
   * @param logSums of all keys together
   * @param manyShapes as in {@link #forward}
   */
  public static Tensor[] backward(
      Tensor gradient,
      Tensor query,
      Tensor key,
      Tensor value,
      Tensor output,
      Tensor logSums,
      boolean causal,
      double scale,
      boolean manyShapes) {
    AttentionKernel kernel = kernel(query, value, manyShapes);
    long kvHeads = key.size(1);
    Tensor keys = kernel.groupsHeads() ? key : Attention.repeatHeads(key, query.size(1));
    Tensor values = kernel.groupsHeads() ? value : Attention.repeatHeads(value, query.size(1));
    Tensor[] gradients;
    if (kernel == AttentionKernel.REFERENCE) {
      gradients = composedGradients(gradient, query, keys, values, output, logSums, causal, scale);
    } else {
      gradients =
          kernel.backward(
              gradient,
              query,
              keys,
              values,
              kernel.resultsOf(output, Views.dense(logSums), query),
              causal,
              scale);
    }
    return new Tensor[] {
      gradients[0],
      Attention.sumGroups(gradients[1], kvHeads),
      Attention.sumGroups(gradients[2], kvHeads)
    };
  }

  private static AttentionKernel kernel(Tensor query, Tensor value, boolean manyShapes) {
    AttentionKernel whole = Attention.kernel(query, query, value);
    boolean flash = manyShapes && Attention.fitsFlash(query, value);
    return switch (whole) {
      // cuDNN plans for tenths of a second at each new length.
      case CUDNN -> flash ? AttentionKernel.FLASH_CUDA : whole;
      case SHAPES_OF_CUDNN -> flash ? AttentionKernel.SHAPES_OF_FLASH : whole;
      case FLASH_CUDA, SHAPES_OF_FLASH -> whole;
      case FLASH_CPU, REFERENCE, SHAPES_ONLY -> AttentionKernel.REFERENCE;
    };
  }

  private static long[] shapeOfSums(Tensor query) {
    return new long[] {query.size(0), query.size(1), query.size(2)};
  }

  private static Tensor[] composed(
      Tensor query, Tensor key, Tensor value, boolean causal, double scale) {
    Tensor scores = scores(query, key, causal, scale);
    Tensor logSums = Reductions.logSumExp(scores);
    Tensor probabilities = Elementwise.exp(Elementwise.add(scores, logSums, -1));
    Tensor output = Products.bmm(probabilities, batched(value));
    return new Tensor[] {
      Copies.cast(
          Views.reshape(output, query.size(0), query.size(1), query.size(2), value.size(3)),
          query.dtype()),
      Views.reshape(logSums, shapeOfSums(query))
    };
  }

  private static Tensor[] composedGradients(
      Tensor gradient,
      Tensor query,
      Tensor key,
      Tensor value,
      Tensor output,
      Tensor logSums,
      boolean causal,
      double scale) {
    Tensor sums = Views.reshape(Views.dense(logSums), -1, query.size(2), 1);
    Tensor probabilities =
        Elementwise.exp(Elementwise.add(scores(query, key, causal, scale), sums, -1));
    Tensor flat = batched(gradient);
    Tensor valueGradient = Products.bmm(Views.transpose(probabilities, 1, 2), flat);
    // Σ over all keys of probability · its gradient, which is that of the output by the output.
    Tensor along = Reductions.sum(Elementwise.mul(flat, batched(output)), 2, true);
    Tensor ofProbabilities = Products.bmm(flat, Views.transpose(batched(value), 1, 2));
    Tensor scoreGradient =
        Elementwise.mul(
            Elementwise.mul(probabilities, Elementwise.add(ofProbabilities, along, -1)), scale);
    Tensor queryGradient = Products.bmm(scoreGradient, batched(key));
    Tensor keyGradient = Products.bmm(Views.transpose(scoreGradient, 1, 2), batched(query));
    return new Tensor[] {
      shaped(queryGradient, query), shaped(keyGradient, key), shaped(valueGradient, value)
    };
  }

  private static Tensor scores(Tensor query, Tensor key, boolean causal, double scale) {
    Tensor scores =
        Products.bmm(Elementwise.mul(batched(query), scale), Views.transpose(batched(key), 1, 2));
    if (causal) {
      Tensor mask =
          Tensors.full(
              Double.NEGATIVE_INFINITY,
              scores.dtype(),
              scores.device(),
              scores.size(1),
              scores.size(2));
      Indexing.keepUpperTriangle(mask, 1);
      Elementwise.addInPlace(scores, Views.unsqueeze(mask, 0));
    }
    return scores;
  }

  private static Tensor batched(Tensor tensor) {
    Tensor wide = tensor.dtype() == Dtype.FLOAT64 ? tensor : Copies.cast(tensor, Dtype.FLOAT32);
    return Views.reshape(
        Views.dense(wide), tensor.size(0) * tensor.size(1), tensor.size(2), tensor.size(3));
  }

  private static Tensor shaped(Tensor batched, Tensor like) {
    return Copies.cast(Views.reshape(batched, like.shape()), like.dtype());
  }
}
