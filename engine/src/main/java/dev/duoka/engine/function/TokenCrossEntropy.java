package dev.duoka.engine.function;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The output projection {@code W [vocabulary, h]} and {@code −log p(target)} of each row of hidden
 * states {@code [n, h]}, in chunks of rows whose gradients are computed while their logits are
 * there: no more than one chunk of logits ever exists. What losses are built from; how the logits
 * come about, over the whole vocabulary or over a part on each rank, is the subclass's.
 */
public abstract class TokenCrossEntropy {
  /** The target of a row that counts for nothing. */
  public static final long IGNORED = -100;

  /**
   * The rows of a chunk.
   *
   * @param losses {@code [n']} in the wide dtype, 0 where the target is {@link #IGNORED}
   * @param gradient of the logits, {@code [n', vocabulary here]} in the compute dtype; null where
   *     none was asked for
   */
  public record Chunk(Tensor losses, @Nullable Tensor gradient) {}

  /** Hears of the losses of a chunk, which are gone afterwards. */
  @FunctionalInterface
  interface LossConsumer {
    /**
     * Takes them.
     *
     * @param start the first row
     * @param losses {@code [n']}
     */
    void take(long start, Tensor losses);
  }

  private final OutputProjection projection;

  /** Of an output projection. */
  protected TokenCrossEntropy(OutputProjection projection) {
    this.projection = projection;
  }

  /** The output projection. */
  public final OutputProjection projection() {
    return projection;
  }

  /** Its weight, or what of it is here. */
  protected final Parameter weight() {
    return projection.weight();
  }

  /** In which numbers losses of such hidden states are counted. */
  protected static Dtype wide(Tensor hidden) {
    return hidden.dtype() == Dtype.FLOAT64 ? Dtype.FLOAT64 : Dtype.FLOAT32;
  }

  /** How many rows are worked on at once. */
  protected abstract long chunkRows(Tensor hidden);

  /**
   * Computes a chunk.
   *
   * @param logits {@code [n', vocabulary here]} in the compute dtype; may be overwritten
   * @param targets int64 {@code [n']}
   * @param scale of the gradient {@code (softmax − one-hot)} of each row; null for no gradient
   */
  protected abstract Chunk chunk(Tensor logits, Tensor targets, @Nullable RowScale scale);

  /**
   * The most likely token of each of a few rows; of equally likely ones the first.
   *
   * @param hidden {@code [b, h]}
   * @return int64 {@code [b]}
   */
  protected abstract Tensor mostLikely(Tensor hidden);

  /** The losses of all rows, without gradients. */
  final void run(Tensor hidden, Tensor targets, LossConsumer losses) {
    run(hidden, targets, null, losses);
  }

  /**
   * The losses of all rows, and their gradients, of which those of what the projection trains are
   * added here.
   *
   * @return the gradient of the hidden states
   */
  final Tensor runWithGradients(
      Tensor hidden, Tensor targets, RowScale scale, LossConsumer losses) {
    Tensor gradient = run(hidden, targets, scale, losses);
    if (gradient == null) {
      throw new IllegalStateException("there is a scale, and no gradient");
    }
    return gradient;
  }

  private @Nullable Tensor run(
      Tensor hidden, Tensor targets, @Nullable RowScale scale, LossConsumer losses) {
    if (hidden.rank() != 2 || targets.rank() != 1 || hidden.size(0) != targets.size(0)) {
      throw new DuokaException(
          ErrorCode.TENSOR, "hidden states " + hidden + " do not fit targets " + targets, "");
    }
    Tensor hiddenGradient =
        scale == null ? null : Tensors.empty(hidden.dtype(), hidden.device(), hidden.shape());
    long rows = hidden.size(0);
    long chunk = chunkRows(hidden);
    for (long start = 0; start < rows; start += chunk) {
      long length = Math.min(chunk, rows - start);
      try (Scope _ = Scope.open(MemoryOwner.LOGITS)) {
        Tensor part = Views.narrow(hidden, 0, start, length);
        Tensor target = Views.narrow(targets, 0, start, length);
        if (hiddenGradient == null || scale == null) {
          losses.take(start, chunk(projection.logits(start, part), target, null).losses());
          continue;
        }
        try (OutputProjection.Rows projected = projection.rows(start, part)) {
          Chunk done = chunk(projected.logits(), target, scale.narrow(start, length));
          losses.take(start, done.losses());
          projected.backward(
              Objects.requireNonNull(done.gradient()),
              Views.narrow(hiddenGradient, 0, start, length));
        }
      }
    }
    return hiddenGradient;
  }
}
