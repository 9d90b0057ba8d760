package dev.duoka.parallel.function;

import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Tensors;

/**
 * The neighbouring tokens of the vocabulary that a rank has the rows of.
 *
 * @param first the first of them
 * @param count how many
 */
record VocabularyRows(long first, long count) {
  /** Those of an embedding or output head {@code [vocabulary, h]}. */
  static VocabularyRows of(Parameter weight) {
    Portion.Stretch only = weight.spec().portion().stretches().getFirst();
    return new VocabularyRows(only.from(), only.length());
  }

  /** 1 where a token is one of them and 0 elsewhere, int64, of the shape of {@code tokens}. */
  Tensor contains(Tensor tokens) {
    Tensor end = Tensors.full((double) first + count, Dtype.INT64, tokens.device(), tokens.shape());
    return Elementwise.mul(
        Copies.cast(Elementwise.atLeast(tokens, (double) first), Dtype.INT64),
        Copies.cast(Elementwise.less(tokens, end), Dtype.INT64));
  }

  /** The row of each token; 0 for those that are not here. */
  Tensor places(Tensor tokens, Tensor contained) {
    // Through fp64, which holds every token: the library subtracts no integers.
    Tensor shifted = Elementwise.add(Copies.cast(tokens, Dtype.FLOAT64), -(double) first);
    return Elementwise.mul(Copies.cast(shifted, Dtype.INT64), contained);
  }
}
