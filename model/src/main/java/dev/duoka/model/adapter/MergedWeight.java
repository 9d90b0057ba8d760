package dev.duoka.model.adapter;

import dev.duoka.engine.function.DoraScale;
import dev.duoka.engine.function.Lora;
import dev.duoka.model.weight.Weight;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.function.UnaryOperator;

/** A weight with its adapter in it: {@code W + s·B·A}, with DoRA's rows at their magnitudes. */
public final class MergedWeight {
  private MergedWeight() {}

  /**
   * The merged weight in its own shape, in fp32 or the weight's wider dtype: of the present values,
   * all of which must be here, and of one in 4 bits of the numbers that it stands for. A copy where
   * there is no adapter. Of the caller's scope.
   */
  public static Tensor of(Weight weight) {
    return weight.parameter().with(value -> of(weight, value));
  }

  private static Tensor of(Weight weight, Tensor value) {
    Dtype wide = value.dtype() == Dtype.FLOAT64 ? Dtype.FLOAT64 : Dtype.FLOAT32;
    Tensor merged = Tensors.empty(wide, value.device(), value.shape());
    Copies.into(merged, value);
    Lora lora = weight.lora();
    if (lora == null) {
      return merged;
    }
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      if (value.rank() == 3) {
        addToExperts(merged, lora, wide);
      } else {
        addToRows(weight, merged, lora, wide);
      }
    }
    return merged;
  }

  private static void addToRows(Weight weight, Tensor merged, Lora lora, Dtype wide) {
    Tensor norms =
        lora.hasMagnitude()
            ? DoraScale.norms(weight.parameter(), lora, UnaryOperator.identity())
            : Tensors.empty(wide, merged.device(), 0);
    for (Lora.Part part : lora.parts()) {
      Tensor rows = Views.narrow(merged, 0, part.output(), part.outputs());
      Elementwise.addInPlace(rows, lora.product(part, 0, part.outputs(), wide));
      if (part.magnitude() != null) {
        Tensor factors =
            Elementwise.div(
                Copies.cast(part.magnitude().value(), wide),
                Views.narrow(norms, 0, part.output(), part.outputs()));
        Elementwise.mulInPlace(rows, Views.reshape(factors, -1, 1));
      }
    }
  }

  private static void addToExperts(Tensor merged, Lora lora, Dtype wide) {
    Lora.Part part = lora.parts().getFirst();
    for (long expert = 0; expert < merged.size(0); expert++) {
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        Tensor product =
            Products.mm(
                Copies.cast(Views.row(part.up().value(), expert), wide),
                Copies.cast(Views.row(lora.down().value(), expert), wide));
        Elementwise.mulInPlace(product, part.scale());
        Elementwise.addInPlace(Views.row(merged, expert), product);
      }
    }
  }
}
