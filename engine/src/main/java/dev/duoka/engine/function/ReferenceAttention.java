package dev.duoka.engine.function;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Activations;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;

/**
 * Attention as its definition says (Vaswani et al., arXiv:1706.03762 §3.2.1), in fp32 or fp64
 * inside: the truth for the fused kernels, and what runs where no fused kernel does. Needs memory
 * for all scores, {@code [b, heads, t, t]}.
 */
final class ReferenceAttention {
  private ReferenceAttention() {}

  /** Returns the output and the probabilities. */
  static Tensor[] forward(Tensor query, Tensor key, Tensor value, boolean causal, double scale) {
    // The scale goes into the query, which is smaller than the scores.
    Tensor scores =
        Products.bmm(Elementwise.mul(batched(query), scale), Views.transpose(batched(key), 1, 2));
    if (causal) {
      Elementwise.addInPlace(scores, causalMask(scores));
    }
    Tensor probabilities = Activations.softmax(scores);
    Tensor output = Products.bmm(probabilities, batched(value));
    return new Tensor[] {
      Copies.cast(
          Views.reshape(output, query.size(0), query.size(1), query.size(2), value.size(3)),
          query.dtype()),
      probabilities
    };
  }

  static Tensor[] backward(
      Tensor gradient, Tensor query, Tensor key, Tensor value, Tensor probabilities, double scale) {
    Tensor flat = batched(gradient);
    Tensor valueGradient = Products.bmm(Views.transpose(probabilities, 1, 2), flat);
    Tensor scoreGradient =
        Elementwise.mul(
            Activations.softmaxBackward(
                Products.bmm(flat, Views.transpose(batched(value), 1, 2)), probabilities),
            scale);
    Tensor queryGradient = Products.bmm(scoreGradient, batched(key));
    Tensor keyGradient = Products.bmm(Views.transpose(scoreGradient, 1, 2), batched(query));
    return new Tensor[] {
      shaped(queryGradient, query), shaped(keyGradient, key), shaped(valueGradient, value)
    };
  }

  private static Tensor batched(Tensor tensor) {
    Tensor wide = tensor.dtype() == Dtype.FLOAT64 ? tensor : Copies.cast(tensor, Dtype.FLOAT32);
    return Views.reshape(
        Views.dense(wide), tensor.size(0) * tensor.size(1), tensor.size(2), tensor.size(3));
  }

  private static Tensor shaped(Tensor batched, Tensor like) {
    return Copies.cast(Views.reshape(batched, like.shape()), like.dtype());
  }

  /** 0 where a query may see a key, −∞ where the key comes later: {@code [1, t, t]}. */
  private static Tensor causalMask(Tensor scores) {
    long queries = scores.size(1);
    long keys = scores.size(2);
    Tensor mask =
        Tensors.full(Double.NEGATIVE_INFINITY, scores.dtype(), scores.device(), queries, keys);
    Indexing.keepUpperTriangle(mask, 1 + keys - queries);
    return Views.unsqueeze(mask, 0);
  }
}
