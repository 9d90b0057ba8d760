package dev.duoka.engine.function;

import dev.duoka.engine.autograd.FunctionObserver.Phase;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.NarrowProductsKernel;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an adapter adds to a linear layer (LoRA; Hu et al., arXiv:2106.09685): {@code y += s · (x ·
 * Aᵀ) · Bᵀ}. Where the layer's weight is joint, queries, keys and values say, the parts share one
 * product with all their matrices A, and each has its own B for its own outputs.
 *
 * <p>The product with A is saved, of n rows and as many columns as the parts are wide; the input is
 * saved by its layer.
 *
 * @param down the matrices A one below the other, {@code [Σ widths, in]}, or {@code [experts,
 *     width, in]}
 * @param parts in the order of their rows in {@code down}
 * @param keep the probability of an input to count, 1 for no dropout
 */
public record Lora(Parameter down, List<Part> parts, double keep) {
  /**
   * A product with a narrow matrix moves its bytes at 0.6 of the rate of a large copy, and one that
   * reads an addend is slower by half of what a copy reads (one H200, rank 16).
   */
  private static final double NARROW = 1 / 0.6;

  private static final double ADDEND = 0.5;

  private static final String INNER = "lora inner";
  private static final String INNER_GRADIENT = "lora inner gradient";
  private static final String UP_GRADIENTS = "lora up gradients";

  /**
   * One part of the outputs.
   *
   * @param up the matrix B, {@code [out, width]} or {@code [experts, out, width]}
   * @param magnitude DoRA's m, {@code [out]}; null for none
   * @param scale s: alpha over the width, or over its root
   * @param row where its matrix A begins in {@code down}
   * @param output where its outputs begin among those of the layer
   */
  public record Part(
      Parameter up, @Nullable Parameter magnitude, double scale, long row, long output) {
    /** The width between A and B. */
    public long width() {
      return up.spec().shape().getLast();
    }

    /** How many outputs it has. */
    public long outputs() {
      return up.spec().shape().get(up.spec().shape().size() - 2);
    }
  }

  public Lora {
    parts = List.copyOf(parts);
  }

  /** Whether the layer's outputs are scaled behind it ({@link DoraScale}). */
  public boolean hasMagnitude() {
    return parts.stream().anyMatch(part -> part.magnitude() != null);
  }

  /**
   * What it reads and writes beside the layer's own product, in bytes of a copy that takes as long.
   *
   * @param input bytes of x
   * @param output bytes of y
   * @param apart whether what it adds is added to what is there, not the layer's product to it
   */
  double bytesBeside(Phase phase, double input, double output, boolean apart) {
    double dropped = keep < 1 ? 2 * input : 0; // a copy of the input, or of its gradient
    return dropped
        + switch (phase) {
          case FORWARD -> (input + output) * NARROW + (apart ? NARROW : ADDEND) * output;
          case INPUT_GRADIENTS -> (input + output) * NARROW + (apart ? NARROW : ADDEND) * input;
          case WEIGHT_GRADIENTS -> // the rest is its least
              input * (NARROW - 1) + (readsGradientOnce() ? 0 : output * NARROW);
          case UPDATE -> 0;
        };
  }

  /** Computes and saves {@code s · x · Aᵀ}, {@code [n, Σ widths]}. */
  Tensor inner(SavedTensors saved, Tensor x, @Nullable Tensor ends) {
    Tensor inner;
    if (ends == null) {
      inner = Tensors.empty(x.dtype(), x.device(), x.size(0), down.value().size(0));
      try (Tensor transposed = Views.transpose(down.value(), 0, 1)) {
        Products.mmInto(inner, x, transposed, 0, hasOneScale() ? parts.getFirst().scale() : 1);
      }
    } else {
      inner = ExpertProducts.rowsByMatrices(x, Views.transpose(down.value(), 1, 2), ends);
    }
    if (ends != null || !hasOneScale()) {
      scale(inner);
    }
    saved.save(INNER, inner);
    return inner;
  }

  /**
   * The parts' outputs, {@code [n, outputs]}, for the layer's own product to be added to in its own
   * pass: to read and write the layer's outputs once more for what a narrow product adds to them
   * would take longer. Zero where no part is.
   */
  Tensor outputs(Tensor inner, long outputs) {
    Tensor y = Tensors.empty(inner.dtype(), inner.device(), inner.size(0), outputs);
    long covered = 0;
    for (Part part : parts) {
      zero(y, covered, part.output());
      addOutputs(y, inner, part, 0);
      covered = part.output() + part.outputs();
    }
    zero(y, covered, outputs);
    return y;
  }

  private static void zero(Tensor y, long from, long to) {
    if (to > from) {
      Tensors.zero(Views.narrow(y, 1, from, to - from));
    }
  }

  /** Adds the parts' outputs to {@code y [n, out]}, whose memory is its own. */
  void addOutputs(Tensor y, Tensor inner, @Nullable Tensor ends) {
    for (Part part : parts) {
      if (ends == null) {
        addOutputs(y, inner, part, 1);
      } else {
        Elementwise.addInPlace(
            y,
            ExpertProducts.rowsByMatrices(inner, Views.transpose(part.up().value(), 1, 2), ends));
      }
    }
  }

  private static void addOutputs(Tensor y, Tensor inner, Part part, double beta) {
    Products.mmInto(
        Views.narrow(y, 1, part.output(), part.outputs()),
        Views.narrow(inner, 1, part.row(), part.width()),
        Views.transpose(part.up().value(), 0, 1),
        beta);
  }

  /**
   * The gradient of {@code x · Aᵀ}, saved for that of A. Those of the matrices B come from the same
   * pass over the outputs' gradient, where there is a kernel that has both.
   */
  Tensor innerGradient(SavedTensors saved, Tensor gradient, @Nullable Tensor ends) {
    Tensor inner;
    if (ends == null) {
      inner =
          Tensors.empty(
              gradient.dtype(), gradient.device(), gradient.size(0), down.value().size(0));
      Tensor ofForward = saved.get(INNER);
      List<NarrowProductsKernel.Part> wide =
          parts.stream()
              .map(part -> new NarrowProductsKernel.Part(part.up().value(), part.output()))
              .toList();
      if (hasOneScale() && NarrowProductsKernel.take(gradient, ofForward, wide)) {
        double scale = parts.getFirst().scale();
        saved.save(UP_GRADIENTS, NarrowProductsKernel.run(gradient, ofForward, wide, inner, scale));
      } else {
        innerGradient(gradient, inner);
      }
    } else {
      inner = ExpertProducts.rowsByMatrices(gradient, parts.getFirst().up().value(), ends);
      scale(inner);
    }
    saved.save(INNER_GRADIENT, inner);
    return inner;
  }

  private void innerGradient(Tensor gradient, Tensor inner) {
    for (Part part : parts) {
      Products.mmInto(
          Views.narrow(inner, 1, part.row(), part.width()),
          Views.narrow(gradient, 1, part.output(), part.outputs()),
          part.up().value(),
          0,
          part.scale());
    }
  }

  /** The gradient of the input, {@code [n, in]}, from that of {@code x · Aᵀ}. */
  Tensor inputGradient(Tensor innerGradient, @Nullable LoraDropout dropout) {
    Tensor product = Products.mm(innerGradient, down.value());
    return dropout == null ? product : dropout.apply(product, this);
  }

  /** Adds the gradient of the input of experts to {@code target}. */
  void addInputGradient(Tensor target, Tensor innerGradient, Tensor ends) {
    Elementwise.addInPlace(
        target, ExpertProducts.rowsByMatrices(innerGradient, down.value(), ends));
  }

  /** Adds to the gradients of all matrices. */
  void weightGradients(SavedTensors saved, Tensor x, Tensor gradient, @Nullable Tensor ends) {
    Tensor inner = saved.get(INNER);
    Tensor innerGradient = saved.get(INNER_GRADIENT);
    if (ends == null) {
      down.addGradientProduct(innerGradient, x);
    } else {
      down.addGradientProductByGroup(innerGradient, x, ends);
    }
    long row = 0;
    for (Part part : parts) {
      if (saved.has(UP_GRADIENTS)) {
        part.up().addGradient(Views.narrow(saved.get(UP_GRADIENTS), 0, row, part.outputs()));
        row += part.outputs();
      } else if (ends == null) {
        part.up()
            .addGradientProduct(
                Views.narrow(gradient, 1, part.output(), part.outputs()),
                Views.narrow(inner, 1, part.row(), part.width()));
      } else {
        part.up().addGradientProductByGroup(gradient, inner, ends);
      }
    }
  }

  /** Whether both products with the outputs' gradient come from one pass, as 16-bit ones do. */
  private boolean readsGradientOnce() {
    long width = parts.getFirst().width();
    return parts.getFirst().up().spec().shape().size() == 2
        && hasOneScale()
        && parts.stream().allMatch(part -> part.width() == width)
        && NarrowProductsKernel.serves(width, parts.size());
  }

  private boolean hasOneScale() {
    return parts.stream().allMatch(part -> part.scale() == parts.getFirst().scale());
  }

  private void scale(Tensor inner) {
    if (hasOneScale()) {
      Elementwise.mulInPlace(inner, parts.getFirst().scale());
    } else {
      for (Part part : parts) {
        Elementwise.mulInPlace(
            Views.narrow(inner, inner.rank() - 1, part.row(), part.width()), part.scale());
      }
    }
  }

  /** {@code s · B · A} of a part of an unstacked weight, {@code [out, in]} in {@code dtype}. */
  public Tensor product(Part part, long firstRow, long rows, Dtype dtype) {
    Tensor up = Copies.cast(Views.narrow(part.up().value(), 0, firstRow, rows), dtype);
    Tensor ofPart = Copies.cast(Views.narrow(down.value(), 0, part.row(), part.width()), dtype);
    Tensor product = Products.mm(up, ofPart);
    Elementwise.mulInPlace(product, part.scale());
    return product;
  }
}
