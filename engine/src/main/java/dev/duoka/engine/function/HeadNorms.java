package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.NormKernels;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Normalises each head's query and key by its root mean square, before they are rotated (Qwen3,
 * arXiv:2505.09388): all heads share one scale for queries and one for keys. Values go through.
 */
public final class HeadNorms extends Function {
  private final Parameter queryScale;
  private final Parameter keyScale;
  private final double epsilon;
  private final int queriesPerKey;
  private final long width;

  /**
   * Norms of as many heads as the joint projection {@code [n, heads · width]} holds.
   *
   * @param queryScale {@code [width]}
   * @param keyScale {@code [width]}
   * @param queriesPerKey query heads for each head of keys and values
   * @param width of a head
   */
  public HeadNorms(
      Parameter queryScale, Parameter keyScale, double epsilon, int queriesPerKey, long width) {
    this.queryScale = queryScale;
    this.keyScale = keyScale;
    this.epsilon = epsilon;
    this.queriesPerKey = queriesPerKey;
    this.width = width;
  }

  /** The same norms of a projection that holds a part of the heads. */
  public HeadNorms withQueriesPerKey(int ofPart) {
    return new HeadNorms(queryScale, keyScale, epsilon, ofPart, width);
  }

  @Override
  public String name() {
    return "head norms " + queryScale.name();
  }

  @Override
  public List<Parameter> parameters() {
    return List.of(queryScale, keyScale);
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    Tensor joint = inputs[0];
    Tensor result = Tensors.empty(joint.dtype(), joint.device(), joint.shape());
    saved.saveInput("x", 0);
    for (Part part : parts(joint)) {
      Tensor[] normalised = RmsNorm.normalise(part.of(joint), part.scale(), epsilon);
      saved.save(part.name(), normalised[1]);
      part.put(normalised[0], result);
    }
    Part values = values(joint);
    values.put(values.of(joint), result);
    return new Tensor[] {result};
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor x = saved.get("x");
    Tensor gradient = only(gradOutputs);
    Tensor result = Tensors.empty(x.dtype(), x.device(), x.shape());
    for (Part part : parts(x)) {
      part.put(inputGradient(saved, part, part.of(gradient), part.of(x)), result);
    }
    Part values = values(x);
    values.put(values.of(gradient), result);
    return new @Nullable Tensor[] {result};
  }

  private static Tensor inputGradient(SavedTensors saved, Part part, Tensor gradient, Tensor x) {
    Tensor inverse = saved.get(part.name());
    if (!NormKernels.take(x)) {
      return RmsNorm.inputGradient(gradient, x, inverse, part.scale());
    }
    Tensor parts = part.scale().isTrainable() ? NormKernels.parts(x) : null;
    if (parts != null) {
      saved.save(part.name() + " weight gradient parts", parts);
    }
    return NormKernels.backward(gradient, x, part.scale().value(), inverse, null, null, parts);
  }

  @Override
  public void weightGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor x = saved.get("x");
    Tensor gradient = only(gradOutputs);
    for (Part part : parts(x)) {
      String sums = part.name() + " weight gradient parts";
      if (saved.has(sums)) {
        part.scale().addGradientParts(saved.get(sums));
      } else if (part.scale().isTrainable()) {
        part.scale()
            .addGradient(
                RmsNorm.weightGradient(part.of(gradient), part.of(x), saved.get(part.name())));
      }
    }
  }

  private List<Part> parts(Tensor joint) {
    long keys = keys(joint);
    return List.of(
        new Part("query", queryScale, 0, keys * queriesPerKey, width),
        new Part("key", keyScale, keys * queriesPerKey, keys, width));
  }

  private Part values(Tensor joint) {
    long keys = keys(joint);
    return new Part("value", keyScale, keys * (queriesPerKey + 1), keys, width);
  }

  private long keys(Tensor joint) {
    return joint.size(-1) / width / (queriesPerKey + 2);
  }

  /** Neighbouring heads of the joint projection. */
  private record Part(String name, Parameter scale, long first, long heads, long width) {
    /** {@code [n · heads, width]}, dense. */
    Tensor of(Tensor joint) {
      return Views.reshape(
          Copies.dense(Views.narrow(joint, 1, first * width, heads * width)), -1, width);
    }

    void put(Tensor rows, Tensor joint) {
      Copies.into(
          Views.narrow(joint, 1, first * width, heads * width),
          Views.reshape(rows, joint.size(0), heads * width));
    }
  }
}
