package dev.duoka.engine.function;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.CrossEntropyKernel;
import dev.duoka.tensor.op.Activations;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The output projection and the cross-entropy in one: hidden states {@code [n, h]} and {@code W
 * [vocabulary, h]} give the sum of {@code −log p(target)} over the rows whose target is not {@value
 * #IGNORED}, as fp32 {@code [1]}.
 *
 * <p>Works through the rows in chunks and computes the gradients of a chunk while its logits are
 * there, so that no more than one chunk of fp32 logits ever exists. That fixes the loss's own
 * gradient in advance: it is the constructor's {@code gradientScale}, and {@link
 * dev.duoka.engine.autograd.Tape#backward} must be given ones.
 */
public final class LinearCrossEntropy extends Function {
  /** The target of a row that counts for nothing. */
  public static final long IGNORED = -100;

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

  private final Parameter weight;
  private final Tensor targets;
  private final double gradientScale;
  private final long chunkBytes;

  /**
   * A loss against {@code targets}, int64 {@code [n]}, which must outlive the forward pass.
   *
   * @param gradientScale what every gradient is multiplied by: one over the number of real tokens
   *     of the step, times the loss scale
   */
  public LinearCrossEntropy(Parameter weight, Tensor targets, double gradientScale) {
    this(weight, targets, gradientScale, CHUNK_BYTES);
  }

  LinearCrossEntropy(Parameter weight, Tensor targets, double gradientScale, long chunkBytes) {
    this.weight = weight;
    this.targets = targets;
    this.gradientScale = gradientScale;
    this.chunkBytes = chunkBytes;
  }

  /** What should be predicted, int64 {@code [n]}. */
  public Tensor targets() {
    return targets;
  }

  /** What every gradient is multiplied by. */
  public double gradientScale() {
    return gradientScale;
  }

  @Override
  public String name() {
    return "linear cross-entropy";
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(weight);
  }

  /** The logits and both gradients, which are computed with them; one of a frozen head. */
  @Override
  public double flops(Tensor[] inputs, Tensor[] outputs) {
    return (weight.isTrainable() ? 3 : 2) * 2.0 * inputs[0].elements() * weight.value().size(0);
  }

  @Override
  public ProductShape productShape(Tensor[] inputs) {
    Tensor x = inputs[0];
    return new ProductShape.Head(x.dtype(), x.size(0), x.size(1), weight.value().size(0));
  }

  @Override
  public double inputGradientRatio() {
    return 0;
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    Tensor hidden = inputs[0];
    if (hidden.rank() != 2 || targets.rank() != 1 || hidden.size(0) != targets.size(0)) {
      throw new DuokaException(
          ErrorCode.TENSOR, "hidden states " + hidden + " do not fit targets " + targets, "");
    }
    boolean training = saved.isRecording();
    long rows = hidden.size(0);
    long vocabulary = weight.value().size(0);
    boolean fused = CrossEntropyKernel.take(hidden, vocabulary);
    long chunk = chunkRows(hidden, rows, vocabulary, fused);
    Dtype wide = hidden.dtype() == Dtype.FLOAT64 ? Dtype.FLOAT64 : Dtype.FLOAT32;
    Tensor loss = Tensors.zeros(wide, hidden.device(), 1);
    Tensor hiddenGradient =
        training ? Tensors.empty(hidden.dtype(), hidden.device(), hidden.shape()) : null;
    for (long start = 0; start < rows; start += chunk) {
      long length = Math.min(chunk, rows - start);
      try (Scope _ = Scope.open(MemoryOwner.LOGITS)) {
        Tensor part = Views.narrow(hidden, 0, start, length);
        Tensor target = Views.narrow(targets, 0, start, length);
        Tensor gradient =
            fused
                ? fusedChunk(part, target, loss, training)
                : composedChunk(part, target, loss, wide, training);
        if (hiddenGradient != null && gradient != null) {
          Products.mmInto(
              Views.narrow(hiddenGradient, 0, start, length), gradient, weight.value(), 0);
          if (weight.isTrainable()) {
            weight.addGradientProduct(gradient, part);
          }
        }
      }
    }
    if (hiddenGradient != null) {
      saved.save("hidden gradient", hiddenGradient);
    }
    return new Tensor[] {loss};
  }

  /** Adds a chunk's losses to {@code loss}; returns the gradient of its logits. */
  private @Nullable Tensor composedChunk(
      Tensor part, Tensor targets, Tensor loss, Dtype wide, boolean training) {
    Tensor target = Views.reshape(targets, -1, 1);
    Tensor counts = Copies.cast(Elementwise.atLeast(target, 0), wide);
    Tensor row = Elementwise.mul(target, Copies.cast(counts, Dtype.INT64));
    Tensor logits = Copies.cast(Products.mmTransposedB(part, weight.value()), wide);
    Tensor logProbabilities = Activations.logSoftmax(logits);
    logits.close();
    Tensor losses =
        Elementwise.mul(Indexing.gather(logProbabilities, 1, row), Elementwise.neg(counts));
    Elementwise.addInPlace(loss, Views.reshape(Reductions.sum(losses), 1));
    if (!training) {
      return null;
    }
    // d loss / d logits = (softmax − one-hot) · scale, and 0 in an ignored row.
    Tensor scale = Elementwise.mul(counts, gradientScale);
    Tensor gradient = Elementwise.exp(logProbabilities);
    logProbabilities.close();
    Elementwise.mulInPlace(gradient, scale);
    Indexing.scatterAdd(gradient, 1, row, Elementwise.neg(scale));
    return Copies.cast(gradient, part.dtype());
  }

  /** As {@link #composedChunk}, with the gradient in the place of the logits. */
  private @Nullable Tensor fusedChunk(Tensor part, Tensor targets, Tensor loss, boolean training) {
    Tensor logits = Products.mmTransposedB(part, weight.value());
    Tensor losses = CrossEntropyKernel.run(logits, targets, gradientScale, training);
    Elementwise.addInPlace(loss, Views.reshape(Reductions.sum(losses), 1));
    return training ? logits : null;
  }

  private long chunkRows(Tensor hidden, long rows, long vocabulary, boolean fused) {
    if (!fused) {
      return Math.max(1, Math.min(rows, chunkBytes / (4 * vocabulary)));
    }
    long fitting = FUSED_CHUNK_BYTES / (hidden.dtype().bytes() * vocabulary);
    long worthwhile = Math.min(FUSED_CHUNK_ROWS, 2 * hidden.size(1));
    long most = Math.max(ROW_TILE, Math.max(fitting, worthwhile) / ROW_TILE * ROW_TILE);
    long chunks = Math.ceilDiv(rows, most); // all of a size, whose products are measured once
    return Math.min(rows, Math.ceilDiv(Math.ceilDiv(rows, chunks), ROW_TILE) * ROW_TILE);
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    return new @Nullable Tensor[] {saved.get("hidden gradient").share()};
  }
}
