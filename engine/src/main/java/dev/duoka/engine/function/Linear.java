package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.FunctionObserver.Phase;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.scaled.ScaledMatrix;
import dev.duoka.tensor.scaled.ScaledProducts;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code y = x · Wᵀ}: {@code [..., in] → [..., out]} with {@code W [out, in]}, no bias. With a
 * second input {@code [..., out]} it is added: a residual connection that costs no pass of its own.
 *
 * <p>With a {@link Lora} the layer's own product is added to the adapter's output, in its own pass,
 * and so it is with the input's gradient; where something else is added, the adapter's output
 * follows. A frozen weight has no gradient, and without an adapter nothing is saved for one.
 *
 * <p>A weight that is kept in 4 bits is in the compute dtype during its products alone: forward,
 * when that is computed again, and for the input's gradient.
 *
 * <p>Where the weight multiplies in 8 bits ({@link Parameter#multipliesScaled}), all three products
 * do, and of the input its 8-bit columns are kept.
 */
public final class Linear extends Function {
  private final Parameter weight;
  private final @Nullable Lora lora;
  private final @Nullable LoraDropout dropout;
  private final boolean mayBeScaled;

  /** A product with {@code weight}. */
  public Linear(Parameter weight) {
    this(weight, null, null);
  }

  /**
   * A product with a weight that has an adapter.
   *
   * @param lora null for none
   * @param dropout of the adapter's input; null for none
   */
  public Linear(Parameter weight, @Nullable Lora lora, @Nullable LoraDropout dropout) {
    this(weight, lora, dropout, true);
  }

  private Linear(
      Parameter weight, @Nullable Lora lora, @Nullable LoraDropout dropout, boolean mayBeScaled) {
    this.weight = weight;
    this.lora = lora;
    this.dropout = dropout;
    this.mayBeScaled = mayBeScaled;
  }

  /** The same layer, which never multiplies in 8 bits. */
  Linear inComputeDtype() {
    return new Linear(weight, lora, dropout, false);
  }

  private boolean multipliesScaled(long rows) {
    return mayBeScaled && weight.multipliesScaled(rows);
  }

  /** The same layer, whose inputs are some of the rows that its dropout knows. */
  public Linear ofRows(long first, long count) {
    return dropout == null
        ? this
        : new Linear(weight, lora, dropout.ofRows(first, count), mayBeScaled);
  }

  @Override
  public String name() {
    return "linear " + weight.name();
  }

  @Override
  public List<Parameter> parameters() {
    if (lora == null) {
      return List.of(weight);
    }
    List<Parameter> all = new ArrayList<>(List.of(weight, lora.down()));
    lora.parts().forEach(part -> all.add(part.up()));
    return all;
  }

  /** The layer's own weight. */
  public Parameter weight() {
    return weight;
  }

  @Override
  public double flops(Tensor[] inputs, Tensor[] outputs) {
    return 2.0 * outputs[0].elements() * inputs[0].size(-1);
  }

  @Override
  public ProductShape productShape(Tensor[] inputs) {
    Tensor x = inputs[0];
    long rows = x.elements() / x.size(-1);
    return new ProductShape.Linear(
        x.dtype(), multipliesScaled(rows), rows, x.size(-1), weight.spec().shape().getFirst());
  }

  @Override
  public double productSpeed(Tensor[] inputs) {
    long rows = inputs[0].elements() / inputs[0].size(-1);
    return multipliesScaled(rows) ? 2 : 1;
  }

  @Override
  public double bytesBeside(Phase phase, Tensor[] inputs, Tensor[] outputs) {
    if (lora == null) {
      return 0;
    }
    boolean apart =
        phase == Phase.FORWARD
            && (inputs.length == 2 || multipliesScaled(inputs[0].elements() / inputs[0].size(-1)));
    return lora.bytesBeside(phase, (double) inputs[0].bytes(), (double) outputs[0].bytes(), apart);
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    Tensor x = inputs[0];
    long[] shape = x.shape();
    shape[shape.length - 1] = weight.spec().shape().getFirst();
    Tensor residual = inputs.length == 2 ? Matrices.flat(inputs[1]) : null;
    Tensor rows = Matrices.flat(x);
    if (lora == null) {
      return new Tensor[] {Views.reshape(product(saved, rows, residual), shape)};
    }
    if (weight.isTrainable()) {
      throw new IllegalStateException(name() + " has an adapter and is not frozen");
    }
    // Before the layer's own product, which a second run for the gradients then leaves out.
    saved.saveInput("x", 0);
    Tensor inner = lora.inner(saved, dropped(rows, lora), null);
    Tensor y;
    if (residual == null && !multipliesScaled(rows.size(0))) {
      y = onto(lora.outputs(inner, weight.spec().shape().getFirst()), rows);
    } else { // in 8 bits the product itself saves something, and must not follow what a rerun omits
      y = product(saved, rows, residual);
      lora.addOutputs(y, inner, null);
    }
    return new Tensor[] {Views.reshape(y, shape)};
  }

  /** The product and an adapter's output, whose memory it takes. */
  private Tensor onto(Tensor adapted, Tensor x) {
    return weight.with(
        value -> {
          Products.mmInto(adapted, x, Views.transpose(value, 0, 1), 1);
          return adapted;
        });
  }

  private Tensor dropped(Tensor rows, Lora adapter) {
    return dropout == null ? rows : dropout.apply(rows, adapter);
  }

  private Tensor product(SavedTensors saved, Tensor x, @Nullable Tensor residual) {
    if (multipliesScaled(x.size(0))) {
      ScaledMatrix rows = ScaledInput.quantize(saved, x);
      return ScaledProducts.transposedB(rows, weight.scaled().matrix(), residual, x.dtype());
    }
    if (weight.isTrainable()) {
      saved.saveInput("x", 0);
    }
    return weight.with(
        value ->
            residual == null
                ? Products.mmTransposedB(x, value)
                : Products.mmTransposedBPlus(residual, x, value));
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor residual = saved.inputCount() == 2 ? only(gradOutputs) : null;
    Tensor gradient = Matrices.flat(only(gradOutputs));
    Tensor inner = lora == null ? null : lora.innerGradient(saved, gradient, null);
    if (!saved.needsInputGradient(0)) {
      return new @Nullable Tensor[] {null, residual};
    }
    long[] shape = only(gradOutputs).shape();
    shape[shape.length - 1] = weight.spec().shape().getLast();
    Tensor adapted = lora == null || inner == null ? null : lora.inputGradient(inner, dropout);
    Tensor product = inputGradient(saved, gradient, adapted);
    return new @Nullable Tensor[] {Views.reshape(product, shape), residual};
  }

  /** Of the layer's own product, and what the adapter's is, whose memory it takes if it can. */
  private Tensor inputGradient(SavedTensors saved, Tensor gradient, @Nullable Tensor addend) {
    if (multipliesScaled(gradient.size(0))) {
      ScaledMatrix rows = ScaledInput.quantizeGradient(saved, gradient);
      return ScaledProducts.transposedB(
          rows, weight.scaled().transpose(), addend, gradient.dtype());
    }
    return weight.with(
        value -> {
          if (addend == null) {
            return Products.mm(gradient, value);
          }
          Products.mmInto(addend, gradient, value, 1);
          return addend;
        });
  }

  @Override
  public void weightGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor gradient = Matrices.flat(only(gradOutputs));
    if (lora != null) {
      Tensor rows = Matrices.flat(saved.get("x"));
      lora.weightGradients(saved, dropped(rows, lora), gradient, null);
    } else if (multipliesScaled(gradient.size(0))) {
      weight.addGradientProduct(
          ScaledInput.gradientColumns(saved, gradient), ScaledInput.columns(saved));
    } else {
      weight.addGradientProduct(gradient, Matrices.flat(saved.get("x")));
    }
  }
}
