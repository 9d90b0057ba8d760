package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.tensor.Determinism;
import dev.duoka.tensor.DryRunDevice;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.AttentionKernels;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/**
 * Causal softmax attention: query {@code [b, heads, t, w]}, key {@code [b, kvHeads, t, w]} and
 * value {@code [b, kvHeads, t, v] → [b, t, heads·v]}. Each key head serves {@code heads / kvHeads}
 * query heads in a row.
 *
 * <p>The kernel is chosen by device and dtype ({@link #kernel}); all of them give what {@link
 * ReferenceAttention} gives.
 */
public final class Attention extends Function {
  /**
   * Up to this many keys the scores fit into the cache, and writing them out is both faster and
   * more exact than LibTorch's flash kernel for the CPU, whose exponential is good to 20 ulp.
   */
  static final long SHORT_SEQUENCE = 128;

  /** cuDNN wants heads whose width is a multiple of this. */
  private static final long CUDNN_WIDTH = 8;

  private final double scale;
  private final @Nullable Documents documents;

  /** Attention whose scores are multiplied by {@code scale} before the softmax. */
  public Attention(double scale) {
    this(scale, null);
  }

  /**
   * As the other constructor.
   *
   * @param documents that do not see each other; null where all of a sequence is one
   */
  public Attention(double scale, @Nullable Documents documents) {
    this.scale = scale;
    this.documents = documents != null && documents.areSeveral() ? documents : null;
  }

  /** The documents that are kept apart; null where each sequence is one. */
  public @Nullable Documents documents() {
    return documents;
  }

  /** What scores are multiplied by. */
  public double scale() {
    return scale;
  }

  @Override
  public String name() {
    return "attention";
  }

  /** The kernel that attention of these tensors uses. */
  public static AttentionKernel kernel(Tensor query, Tensor key, Tensor value) {
    boolean half = query.dtype() == Dtype.BFLOAT16 || query.dtype() == Dtype.FLOAT16;
    boolean aligned = query.size(3) % CUDNN_WIDTH == 0 && value.size(3) % CUDNN_WIDTH == 0;
    if (query.device().isMeta()) {
      if (!DryRunDevice.hasKernels(half)) {
        return isWrittenOut(query, key) ? AttentionKernel.REFERENCE : AttentionKernel.SHAPES_ONLY;
      }
      if (!half || !aligned) {
        // On a GPU the definition is written out, with all scores.
        return DryRunDevice.real().isPresent()
            ? AttentionKernel.REFERENCE
            : AttentionKernel.SHAPES_ONLY;
      }
      return Determinism.isRequired() && fitsFlash(query, value)
          ? AttentionKernel.SHAPES_OF_FLASH
          : AttentionKernel.SHAPES_OF_CUDNN;
    }
    if (goesOn(query, key)) {
      return AttentionKernel.REFERENCE;
    }
    if (query.device().isCuda()) {
      if (!half || !aligned) {
        return AttentionKernel.REFERENCE;
      }
      if (!Determinism.isRequired()) {
        return AttentionKernel.CUDNN;
      }
      return fitsFlash(query, value) ? AttentionKernel.FLASH_CUDA : AttentionKernel.REFERENCE;
    }
    return isWrittenOut(query, key) ? AttentionKernel.REFERENCE : AttentionKernel.FLASH_CPU;
  }

  /**
   * Queries that go on after kept keys see all of those, while the fused kernels let the first
   * query see the first key only; and a decoding step's one query needs no such kernel.
   */
  private static boolean goesOn(Tensor query, Tensor key) {
    return query.size(2) == 1 || query.size(2) != key.size(2);
  }

  /** Whether a CPU writes all scores out. */
  private static boolean isWrittenOut(Tensor query, Tensor key) {
    return goesOn(query, key) || key.size(2) <= SHORT_SEQUENCE;
  }

  static boolean fitsFlash(Tensor query, Tensor value) {
    return query.size(3) <= AttentionKernels.FLASH_WIDTH && value.size(3) <= query.size(3);
  }

  /** Both products at their causal half. */
  @Override
  public double flops(Tensor[] inputs, Tensor[] outputs) {
    double pairs =
        documents != null && documents.sequences() == inputs[0].size(0)
            ? documents.pairs() * inputs[0].size(1)
            : (double) inputs[0].elements() / inputs[0].size(-1) * inputs[1].size(2) / 2;
    return 2 * pairs * (inputs[0].size(-1) + inputs[2].size(-1));
  }

  @Override
  public ProductShape.Attention productShape(Tensor[] inputs) {
    Tensor query = inputs[0];
    Tensor key = inputs[1];
    return new ProductShape.Attention(
        query.dtype(),
        query.size(0),
        query.size(1),
        key.size(1),
        query.size(2),
        key.size(2),
        query.size(3),
        inputs[2].size(3));
  }

  /** Five products instead of two: the scores again, and four gradients. */
  @Override
  public double inputGradientRatio() {
    return 2.5;
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    if (documents != null) {
      return forwardApart(new DocumentAttention(documents, scale), saved, inputs);
    }
    Tensor query = inputs[0];
    AttentionKernel kernel = kernel(query, inputs[1], inputs[2]);
    Tensor key = kernel.groupsHeads() ? inputs[1] : repeatHeads(inputs[1], query.size(1));
    Tensor value = kernel.groupsHeads() ? inputs[2] : repeatHeads(inputs[2], query.size(1));
    // The last query sees all keys, so a single one needs no mask.
    boolean causal = query.size(2) > 1;
    Tensor[] results = kernel.forward(query, key, value, causal, scale);
    saved.saveInput("query", 0);
    saved.saveInput("key", 1);
    saved.saveInput("value", 2);
    for (int i = 0; i < results.length; i++) {
      saved.save("result " + i, results[i]);
    }
    return new Tensor[] {tokensFirst(results[0])};
  }

  private static Tensor[] forwardApart(
      DocumentAttention apart, SavedTensors saved, Tensor... inputs) {
    Tensor[] results = apart.forward(inputs[0], inputs[1], inputs[2]);
    saved.saveInput("query", 0);
    saved.saveInput("key", 1);
    saved.saveInput("value", 2);
    saved.save("output", results[0]);
    saved.save("log sums", results[1]);
    return new Tensor[] {tokensFirst(results[0])};
  }

  private static Tensor tokensFirst(Tensor headsFirst) {
    Tensor output = Views.dense(Views.transpose(headsFirst, 1, 2));
    return Views.reshape(output, output.size(0) * output.size(1), output.size(2) * output.size(3));
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor query = saved.get("query");
    Tensor key = saved.get("key");
    Tensor value = saved.get("value");
    if (documents != null) {
      return new DocumentAttention(documents, scale)
          .backward(
              perHead(only(gradOutputs), query, value),
              query,
              key,
              value,
              saved.get("output"),
              saved.get("log sums"));
    }
    long kvHeads = key.size(1);
    AttentionKernel kernel = kernel(query, key, value);
    if (!kernel.groupsHeads()) {
      key = repeatHeads(key, query.size(1));
      value = repeatHeads(value, query.size(1));
    }
    Tensor[] results = new Tensor[kernel.results()];
    for (int i = 0; i < results.length; i++) {
      results[i] = saved.get("result " + i);
    }
    Tensor perHead = perHead(only(gradOutputs), query, value);
    Tensor[] gradients =
        kernel.backward(perHead, query, key, value, results, query.size(2) > 1, scale);
    return new @Nullable Tensor[] {
      gradients[0], sumGroups(gradients[1], kvHeads), sumGroups(gradients[2], kvHeads)
    };
  }

  private static Tensor perHead(Tensor gradient, Tensor query, Tensor value) {
    return Views.transpose(
        Views.reshape(
            Views.dense(gradient), query.size(0), query.size(2), query.size(1), value.size(3)),
        1,
        2);
  }

  /** {@code [b, kvHeads, t, w] → [b, heads, t, w]}, each head repeated in a row. */
  static Tensor repeatHeads(Tensor tensor, long heads) {
    long kvHeads = tensor.size(1);
    if (kvHeads == heads) {
      return tensor;
    }
    Tensor expanded = Views.expand(Views.unsqueeze(tensor, 2), 2, heads / kvHeads);
    return Views.reshape(
        Copies.dense(expanded), tensor.size(0), heads, tensor.size(2), tensor.size(3));
  }

  /** The gradient of {@link #repeatHeads}. */
  static Tensor sumGroups(Tensor gradient, long kvHeads) {
    long heads = gradient.size(1);
    if (heads == kvHeads) {
      return gradient;
    }
    Tensor grouped =
        Views.reshape(
            Views.dense(gradient),
            gradient.size(0),
            kvHeads,
            heads / kvHeads,
            gradient.size(2),
            gradient.size(3));
    return Reductions.sum(grouped, 2, false);
  }
}
