package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.FunctionObserver.Phase;
import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.layout.Recompute;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Products;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * From hidden states {@code [n, h]} to logits {@code [n, vocabulary]}, of the tokens that are here:
 * a product with {@code W [vocabulary, h]}, and the adapter that it may have.
 *
 * @param weight W
 * @param lora its adapter; null for none
 * @param dropout of the adapter's input; null for none
 */
public record OutputProjection(
    Parameter weight, @Nullable Lora lora, @Nullable LoraDropout dropout) {
  /** Without an adapter. */
  public OutputProjection(Parameter weight) {
    this(weight, null, null);
  }

  /** W and the matrices of the adapter. */
  List<Parameter> parameters() {
    List<Parameter> all = new ArrayList<>();
    functions(0, 0).forEach(function -> all.addAll(function.parameters()));
    return all;
  }

  /** Whether anything of it is trained. */
  boolean isTrained() {
    return weight.isTrainable() || lora != null;
  }

  /**
   * What its adapter reads and writes in some passes, in bytes of a copy that takes as long.
   *
   * @param rows of hidden states
   */
  double bytesBeside(Tensor hidden, double rows, Phase... passes) {
    double sum = 0;
    if (lora != null) {
      double input = rows * hidden.size(1) * hidden.dtype().bytes();
      double output = rows * weight.value().size(0) * hidden.dtype().bytes();
      for (Phase pass : passes) {
        sum += lora.bytesBeside(pass, input, output, false);
      }
    }
    return sum;
  }

  /** The logits of hidden states {@code [n, h]} in the compute dtype, of the caller's scope. */
  public Tensor logits(Tensor hidden) {
    return logits(0, hidden);
  }

  /** Of some rows, {@code [n', h]}, of which dropout has to know the number of the first. */
  Tensor logits(long first, Tensor hidden) {
    if (lora == null) {
      return Products.mmTransposedB(hidden, weight.value());
    }
    try (Tape tape = Tape.inference()) {
      tape.bookAs(MemoryOwner.LOGITS);
      return apply(tape, first, Variable.constant(hidden)).value();
    }
  }

  /**
   * Some rows, whose gradients follow.
   *
   * @param first the number of the first of them
   * @param hidden {@code [n', h]}
   */
  Rows rows(long first, Tensor hidden) {
    return lora == null ? new PlainRows(hidden) : new AdaptedRows(first, hidden);
  }

  private Variable apply(Tape tape, long first, Variable hidden) {
    Variable logits = hidden;
    for (Function function : functions(first, hidden.value().size(0))) {
      logits = tape.apply(function, logits);
    }
    return logits;
  }

  private List<Function> functions(long first, long rows) {
    LoraDropout ofRows = dropout == null ? null : dropout.ofRows(dropout.first() + first, rows);
    Linear linear = new Linear(weight, lora, ofRows).inComputeDtype();
    return lora == null || !lora.hasMagnitude()
        ? List.of(linear)
        : List.of(linear, new DoraScale(weight, lora));
  }

  /** The logits of some rows, until their gradients are there. */
  interface Rows extends AutoCloseable {
    /** {@code [n', vocabulary]} in the compute dtype; may be overwritten. */
    Tensor logits();

    /**
     * Computes the gradient of the hidden states, and adds to those of what is trained.
     *
     * @param gradient of the logits
     * @param target takes that of the hidden states, {@code [n', h]}
     */
    void backward(Tensor gradient, Tensor target);

    @Override
    void close();
  }

  private final class PlainRows implements Rows {
    private final Tensor hidden;
    private final Tensor logits;

    PlainRows(Tensor hidden) {
      this.hidden = hidden;
      this.logits = Products.mmTransposedB(hidden, weight.value());
    }

    @Override
    public Tensor logits() {
      return logits;
    }

    @Override
    public void backward(Tensor gradient, Tensor target) {
      Products.mmInto(target, gradient, weight.value(), 0);
      if (weight.isTrainable()) {
        weight.addGradientProduct(gradient, hidden);
      }
    }

    @Override
    public void close() {}
  }

  private final class AdaptedRows implements Rows {
    private final Tape tape = Tape.recording(Recompute.NONE);
    private final Variable hidden;
    private final Variable logits;

    AdaptedRows(long first, Tensor rows) {
      tape.bookAs(MemoryOwner.LOGITS);
      hidden = tape.leaf(rows);
      logits = apply(tape, first, hidden);
    }

    @Override
    public Tensor logits() {
      return logits.value();
    }

    @Override
    public void backward(Tensor gradient, Tensor target) {
      tape.backward(logits, gradient);
      Copies.into(target, hidden.gradient());
    }

    @Override
    public void close() {
      tape.close();
    }
  }
}
