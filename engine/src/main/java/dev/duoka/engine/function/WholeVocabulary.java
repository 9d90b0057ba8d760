package dev.duoka.engine.function;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.CrossEntropyKernel;
import dev.duoka.tensor.op.Activations;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/** Logits of the whole vocabulary, by our kernel where it serves. */
final class WholeVocabulary extends TokenCrossEntropy {
  /** Logits of one chunk take at most this many bytes in fp32. */
  static final long CHUNK_BYTES = 64L << 20;

  /** Likewise in the compute dtype, with our kernel: large enough for products at full rate. */
  private static final long FUSED_CHUNK_BYTES = 512L << 20;

  /**
   * Each chunk adds to the whole weight gradient, 8 bytes of traffic per weight: beside the 6
   * operations per weight and row that is little from this many rows on. Never more rows than twice
   * the width, so that the logits of a chunk stay below the size of the fp32 weight gradient.
   */
  private static final long FUSED_CHUNK_ROWS = 4096;

  /** Products are fastest with whole tiles of rows. */
  private static final long ROW_TILE = 128;

  private final long chunkBytes;

  WholeVocabulary(OutputProjection projection) {
    this(projection, CHUNK_BYTES);
  }

  WholeVocabulary(OutputProjection projection, long chunkBytes) {
    super(projection);
    this.chunkBytes = chunkBytes;
  }

  @Override
  protected Chunk chunk(Tensor logits, Tensor targets, @Nullable RowScale scale) {
    return isFused(logits)
        ? fused(logits, targets, scale)
        : composed(logits, targets, wide(logits), scale);
  }

  @Override
  protected Tensor mostLikely(Tensor hidden) {
    return Reductions.argmax(projection().logits(hidden), 1);
  }

  /** By hidden states or logits. */
  private boolean isFused(Tensor rows) {
    return CrossEntropyKernel.take(rows, weight().value().size(0));
  }

  private Chunk composed(Tensor projected, Tensor targets, Dtype wide, @Nullable RowScale scale) {
    Tensor target = Views.reshape(targets, -1, 1);
    Tensor counts = Copies.cast(Elementwise.atLeast(target, 0), wide);
    Tensor row = Elementwise.mul(target, Copies.cast(counts, Dtype.INT64));
    Tensor logits = Copies.cast(projected, wide);
    Tensor logProbabilities = Activations.logSoftmax(logits);
    logits.close();
    Tensor losses =
        Elementwise.mul(Indexing.gather(logProbabilities, 1, row), Elementwise.neg(counts));
    Tensor flat = Views.reshape(losses, -1);
    if (scale == null) {
      return new Chunk(flat, null);
    }
    // d loss / d logits = (softmax − one-hot) · scale, and 0 in an ignored row.
    Tensor ofRows = scale.times(counts);
    Tensor gradient = Elementwise.exp(logProbabilities);
    logProbabilities.close();
    Elementwise.mulInPlace(gradient, ofRows);
    Indexing.scatterAdd(gradient, 1, row, Elementwise.neg(ofRows));
    return new Chunk(flat, Copies.cast(gradient, projected.dtype()));
  }

  /** As {@link #composed}, with the gradient in the place of the logits. */
  private Chunk fused(Tensor logits, Tensor targets, @Nullable RowScale scale) {
    return switch (scale) {
      case null -> new Chunk(CrossEntropyKernel.run(logits, targets, 1, false), null);
      case RowScale.Same same ->
          new Chunk(CrossEntropyKernel.run(logits, targets, same.value(), true), logits);
      case RowScale.Each each -> {
        // The kernel knows one scale: the rows' own follow in a pass over the gradient.
        Tensor losses = CrossEntropyKernel.run(logits, targets, 1, true);
        Elementwise.mulInPlace(
            logits, Copies.cast(Views.reshape(each.values(), -1, 1), logits.dtype()));
        yield new Chunk(losses, logits);
      }
    };
  }

  @Override
  protected long chunkRows(Tensor hidden) {
    long rows = hidden.size(0);
    long vocabulary = weight().value().size(0);
    if (!isFused(hidden)) {
      return Math.max(1, Math.min(rows, chunkBytes / (4 * vocabulary)));
    }
    long fitting = FUSED_CHUNK_BYTES / (hidden.dtype().bytes() * vocabulary);
    long worthwhile = Math.min(FUSED_CHUNK_ROWS, 2 * hidden.size(1));
    long most = Math.max(ROW_TILE, Math.max(fitting, worthwhile) / ROW_TILE * ROW_TILE);
    long chunks = Math.ceilDiv(rows, most); // all of a size, whose products are measured once
    return Math.min(rows, Math.ceilDiv(Math.ceilDiv(rows, chunks), ROW_TILE) * ROW_TILE);
  }
}
