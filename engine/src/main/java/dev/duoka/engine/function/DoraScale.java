package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Scales the outputs of a layer with an adapter to learnt magnitudes (DoRA; Liu et al.,
 * arXiv:2402.09353): {@code y = z · m / ‖W + s·B·A‖}, where z {@code [n, out]} is what the layer
 * and its adapter put out, and the norm is taken of each row of the weight. As in §4.3 of the paper
 * the norm counts as constant for gradients. Outputs without a magnitude stay as they are. A second
 * input {@code [n, out]} is added to the result: a residual connection.
 *
 * <p>The norm is that of the present weights, computed in every pass; where the weight is cut by
 * columns, only a sum over its parts gives it ({@link #summing}).
 */
public final class DoraScale extends Function {
  /** The rows of a weight that are looked at together take about this many bytes in fp32. */
  private static final long CHUNK_BYTES = 64L << 20;

  private static final String NORM = "norm";

  private final Parameter weight;
  private final Lora lora;
  private final UnaryOperator<Tensor> sum;

  /** The scale of the outputs of {@code weight [out, in]} with {@code lora}. */
  public DoraScale(Parameter weight, Lora lora) {
    this(weight, lora, UnaryOperator.identity());
  }

  private DoraScale(Parameter weight, Lora lora, UnaryOperator<Tensor> sum) {
    this.weight = weight;
    this.lora = lora;
    this.sum = sum;
  }

  /**
   * The same for a weight of which others have the other columns.
   *
   * @param sum of squares {@code [out]}: gives what is here and theirs together
   */
  public DoraScale summing(UnaryOperator<Tensor> sum) {
    return new DoraScale(weight, lora, sum);
  }

  /** The weight whose rows' norms divide. */
  public Parameter weight() {
    return weight;
  }

  @Override
  public String name() {
    return "dora scale " + weight.name();
  }

  @Override
  public List<Parameter> parameters() {
    List<Parameter> magnitudes = new ArrayList<>();
    for (Lora.Part part : lora.parts()) {
      Parameter magnitude = part.magnitude();
      if (magnitude != null) {
        magnitudes.add(magnitude);
      }
    }
    return magnitudes;
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    Tensor norms = norms(weight, lora, sum);
    saved.saveInput("z", 0);
    saved.save(NORM, norms);
    Tensor y = Elementwise.mul(inputs[0], factors(norms, inputs[0].dtype()));
    if (inputs.length == 2) {
      Elementwise.addInPlace(y, inputs[1]);
    }
    return new Tensor[] {y};
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor gradient = only(gradOutputs);
    Tensor scaled = Elementwise.mul(gradient, factors(saved.get(NORM), gradient.dtype()));
    return saved.inputCount() == 2
        ? new @Nullable Tensor[] {scaled, gradient}
        : new @Nullable Tensor[] {scaled};
  }

  @Override
  public void weightGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor norms = saved.get(NORM);
    Tensor gradient = Matrices.flat(only(gradOutputs));
    Tensor z = Matrices.flat(saved.get("z"));
    for (Lora.Part part : lora.parts()) {
      Parameter magnitude = part.magnitude();
      if (magnitude == null) {
        continue;
      }
      Tensor products =
          Elementwise.mul(
              Copies.cast(of(gradient, 1, part), norms.dtype()),
              Copies.cast(of(z, 1, part), norms.dtype()));
      magnitude.addGradient(
          Elementwise.div(Reductions.sum(products, 0, false), of(norms, 0, part)));
    }
  }

  private static Tensor of(Tensor whole, int dimension, Lora.Part part) {
    return Views.narrow(whole, dimension, part.output(), part.outputs());
  }

  /** {@code m / ‖…‖}, 1 where there is no m, {@code [out]}. */
  private Tensor factors(Tensor norms, Dtype dtype) {
    Tensor factors = Tensors.full(1, norms.dtype(), norms.device(), norms.size(0));
    for (Lora.Part part : lora.parts()) {
      Parameter magnitude = part.magnitude();
      if (magnitude != null) {
        Copies.into(
            of(factors, 0, part),
            Elementwise.div(Copies.cast(magnitude.value(), norms.dtype()), of(norms, 0, part)));
      }
    }
    return Copies.cast(factors, dtype);
  }

  /**
   * The norms of the rows of {@code W + s·B·A}, rounded to the weight's dtype and held in fp32 or
   * fp64, {@code [out]}; ones for outputs without a magnitude.
   *
   * @param sum of squares, where others have the other columns
   */
  public static Tensor norms(Parameter weight, Lora lora, UnaryOperator<Tensor> sum) {
    return weight.with(value -> norms(value, lora, sum));
  }

  private static Tensor norms(Tensor value, Lora lora, UnaryOperator<Tensor> sum) {
    Dtype wide = value.dtype() == Dtype.FLOAT64 ? Dtype.FLOAT64 : Dtype.FLOAT32;
    Tensor squares = Tensors.full(1, wide, value.device(), value.size(0));
    for (Lora.Part part : lora.parts()) {
      if (part.magnitude() != null) {
        squares(value, lora, part, of(squares, 0, part));
      }
    }
    // As the magnitudes are: where nothing is changed the two are equal, and the factor is 1.
    Tensor norms = Copies.cast(Elementwise.sqrt(sum.apply(squares)), value.dtype());
    return Copies.cast(norms, wide);
  }

  private static void squares(Tensor weight, Lora lora, Lora.Part part, Tensor target) {
    long atOnce = Math.max(1, CHUNK_BYTES / (4 * weight.size(1)));
    for (long row = 0; row < part.outputs(); row += atOnce) {
      long rows = Math.min(atOnce, part.outputs() - row);
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        Tensor merged = lora.product(part, row, rows, target.dtype());
        Elementwise.addInPlace(merged, Views.narrow(weight, 0, part.output() + row, rows));
        Elementwise.mulInPlace(merged, merged);
        Copies.into(Views.narrow(target, 0, row, rows), Reductions.sum(merged, 1, false));
      }
    }
  }
}
