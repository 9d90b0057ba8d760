package dev.duoka.engine.parameter;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.GroupedOuterKernel;
import dev.duoka.tensor.kernel.NormKernels;
import dev.duoka.tensor.nf4.Nf4Layout;
import dev.duoka.tensor.nf4.Nf4Weights;
import dev.duoka.tensor.nf4.Nf4Writer;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.GroupedProducts;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.scaled.Quantization;
import dev.duoka.tensor.scaled.ScaledMatrix;
import dev.duoka.tensor.scaled.ScaledProducts;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One weight: a view of the flat values that functions compute with, and a view of the flat main
 * gradients that their weight gradients are added to. Belongs to its {@link ParameterStore}.
 */
public final class Parameter {
  private final ParameterStore store;
  private final Bucket bucket;
  private final ParameterSpec spec;
  private final long offset;
  private final @Nullable Nf4Layout layout;
  private @Nullable Tensor value;
  private @Nullable Tensor gradient;
  private boolean gradientIsFresh = true;
  private ScaledMatrix.@Nullable Pair scaled;
  private long scaledVersion = -1;

  Parameter(ParameterStore store, Bucket bucket, ParameterSpec spec, long offset) {
    this.store = store;
    this.bucket = bucket;
    this.spec = spec;
    this.offset = offset;
    this.layout = spec.nf4() == null ? null : spec.layout();
  }

  /** Gives it its view of the flat values; null when these go away. */
  void bindValue(@Nullable Tensor view) {
    if (value != null) {
      value.close();
    }
    value = view;
  }

  /** Likewise of the flat gradients, which hold nothing yet. */
  void bindGradient(@Nullable Tensor view) {
    if (gradient != null) {
      gradient.close();
    }
    gradient = view;
    gradientIsFresh = true;
  }

  /** The name within the model. */
  public String name() {
    return spec.name();
  }

  /** What the model asked for. */
  public ParameterSpec spec() {
    return spec;
  }

  /** Whether it has a gradient: it is trained, and its store is one for training. */
  public boolean isTrainable() {
    return bucket.key().trainable();
  }

  /** The bucket that it lies in. */
  public Bucket bucket() {
    return bucket;
  }

  /** Where it starts in the bucket's flat buffers, in elements, which are bytes in 4 bits. */
  public long offset() {
    return offset;
  }

  /**
   * The weight in the compute dtype; brought here first where it is elsewhere.
   *
   * @throws IllegalStateException when it is kept in 4 bits: then it is only {@link #with} somebody
   */
  public Tensor value() {
    if (layout != null) {
      throw new IllegalStateException(name() + " is kept in 4 bits");
    }
    return stored();
  }

  private Tensor stored() {
    if (value == null) {
      bucket.values();
    }
    return Objects.requireNonNull(value);
  }

  /** Whether it is kept in 4 bits. */
  public boolean isInFourBits() {
    return layout != null;
  }

  /**
   * Lets something use the weight in the compute dtype and in its own shape. One that is kept in 4
   * bits is made for the while, as a temporary, and freed behind it.
   */
  public <R> R with(Function<Tensor, R> use) {
    if (layout == null) {
      return use.apply(stored());
    }
    try (Tensor dense = dequantized(layout)) {
      return use.apply(dense);
    }
  }

  private Tensor dequantized(Nf4Layout packed) {
    try (Scope scope = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor bytes = stored();
      Tensor flat = Tensors.empty(store.dtype(), bytes.device(), packed.elements());
      Nf4Weights.dequantize(bytes, packed, flat);
      return scope.keep(Views.reshape(flat, spec.shapeArray()));
    }
  }

  /**
   * A writer of one of the tensors that the weight is made of, where it is kept in 4 bits. The
   * caller closes it.
   *
   * @param tensor its number among them
   */
  public Nf4Writer writer(int tensor) {
    Nf4Form form = Objects.requireNonNull(spec.nf4(), name());
    long elements = form.rows().get(tensor) * spec.portion().columns();
    return new Nf4Writer(stored(), Objects.requireNonNull(layout), tensor, elements);
  }

  /** The shape of its view of the flat values. */
  long[] storedShape() {
    return layout == null ? spec.shapeArray() : new long[] {layout.bytes()};
  }

  /** What it takes in memory, in bytes; what gathers it reads as much. */
  public long bytes() {
    return layout == null ? denseBytes() : layout.bytes();
  }

  /** What it takes in the compute dtype, in bytes. */
  public long denseBytes() {
    return spec.elements() * store.dtype().bytes();
  }

  /** Whether products with so many rows of input are computed in 8 bits ({@link #scaled}). */
  public boolean multipliesScaled(long rows) {
    return store.multipliesScaled()
        && layout == null
        && spec.shape().size() == 2
        && Quantization.fits(spec.shape().getFirst(), spec.shape().getLast())
        && Quantization.fits(rows, spec.shape().getLast());
  }

  /** The weight in 8 bits, and its transpose; made anew when the weights have changed. */
  public ScaledMatrix.Pair scaled() {
    Tensor value = value();
    ScaledMatrix.Pair pair = scaled;
    boolean stale = pair == null || scaledVersion != store.version();
    if (pair == null) {
      try (Scope _ = Scope.open(MemoryOwner.WEIGHTS)) {
        pair = Quantization.roomForBlocks(value.size(0), value.size(1), value.device());
        tensors(pair).forEach(Scope::detach);
      }
      scaled = pair;
    }
    if (stale) {
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        Quantization.blocks(value, pair);
      }
      scaledVersion = store.version();
    }
    return pair;
  }

  private static List<Tensor> tensors(ScaledMatrix.Pair pair) {
    return List.of(
        pair.matrix().values(),
        pair.matrix().scales(),
        pair.transpose().values(),
        pair.transpose().scales());
  }

  void releaseScaled() {
    if (scaled != null) {
      tensors(scaled).forEach(Tensor::close);
      scaled = null;
    }
  }

  /**
   * The main gradient: fp32, or the compute dtype when that is wider. Where gradients are kept
   * elsewhere, a new sum begins here.
   */
  public Tensor gradient() {
    if (gradient == null) {
      if (!bucket.key().trainable()) {
        throw new IllegalStateException(name() + " is frozen, or of a store without gradients");
      }
      bucket.gradients();
    }
    return Objects.requireNonNull(gradient);
  }

  /** Whether nothing was added to the gradient since {@link #resetGradient}. */
  public boolean gradientIsFresh() {
    return gradientIsFresh;
  }

  /** Starts a new sum; the next addition overwrites, so no zeroing is needed. */
  void resetGradient() {
    gradientIsFresh = true;
  }

  /** Adds a gradient of this parameter's shape, converting it to the main gradient's dtype. */
  public void addGradient(Tensor addend) {
    if (gradientIsFresh) {
      Copies.into(gradient(), addend);
    } else {
      Elementwise.addInPlace(gradient(), addend);
    }
    gradientIsFresh = false;
  }

  /**
   * Adds the product {@code aᵀ @ b}, the weight gradient of a matrix product.
   *
   * @param a {@code [n, rows]}, the gradient of the output
   * @param b {@code [n, columns]}, the input
   */
  public void addGradientProduct(Tensor a, Tensor b) {
    if (a.dtype() == gradient().dtype()) {
      try (Tensor transposed = Views.transpose(a, 0, 1)) {
        Products.mmInto(gradient(), transposed, b, gradientIsFresh ? 0 : 1);
      }
      gradientIsFresh = false;
    } else if (accumulatesProducts(a, b)) {
      Products.outerInto(gradient(), a, b, !gradientIsFresh);
      gradientIsFresh = false;
    } else {
      try (Tensor product = Products.mmTransposedA(a, b)) {
        addGradient(product);
      }
    }
  }

  /**
   * Adds the product {@code a @ bᵀ} of 8-bit matrices, the weight gradient of a linear layer.
   *
   * @param a {@code [rows, n]}, the transposed gradient of the output
   * @param b {@code [columns, n]}, the transposed input
   */
  public void addGradientProduct(ScaledMatrix a, ScaledMatrix b) {
    addWide(
        wide -> ScaledProducts.intoTransposedB(wide, a, b, wide == gradient && !gradientIsFresh));
  }

  /**
   * Lets something write fp32: into the main gradient, to what is there unless that is fresh, or
   * into a tensor that is then added to a main gradient of another dtype.
   */
  private void addWide(Consumer<Tensor> writer) {
    Tensor main = gradient();
    if (main.dtype() == Dtype.FLOAT32) {
      writer.accept(main);
      gradientIsFresh = false;
    } else {
      try (Tensor wide = Tensors.empty(Dtype.FLOAT32, main.device(), main.shape())) {
        writer.accept(wide);
        addGradient(wide);
      }
    }
  }

  /**
   * Adds the products {@code a_gᵀ @ b_g} of groups of rows, the weight gradient of a grouped
   * product.
   *
   * @param a {@code [n, rows]}, the gradient of the output
   * @param b {@code [n, columns]}, the input
   * @param ends int32 {@code [groups]}: where the rows of each group end
   */
  public void addGradientProductByGroup(Tensor a, Tensor b, Tensor ends) {
    if (GroupedOuterKernel.take(a, b, gradient())) {
      GroupedOuterKernel.run(gradient(), a, b, ends, !gradientIsFresh);
      gradientIsFresh = false;
    } else {
      addGradient(GroupedProducts.outerByGroup(a, b, ends));
    }
  }

  /**
   * Adds the sum over the rows of {@code parts}, fp32 {@code [blocks, h]}, in a fixed order.
   *
   * @see NormKernels#sumParts
   */
  public void addGradientParts(Tensor parts) {
    addWide(wide -> NormKernels.sumParts(parts, wide, wide == gradient && !gradientIsFresh));
  }

  /** Lets {@code adder} add to the main gradient itself, which is zeroed first when it is fresh. */
  public void addGradientInPlace(Consumer<Tensor> adder) {
    if (gradientIsFresh) {
      Tensors.zero(gradient());
    }
    adder.accept(gradient());
    gradientIsFresh = false;
  }

  /** Whether the product goes straight into the main gradient, as it does on a GPU. */
  private boolean accumulatesProducts(Tensor a, Tensor b) {
    return !a.device().equals(Device.CPU)
        && gradient().dtype() == Dtype.FLOAT32
        && a.dtype() != Dtype.FLOAT64
        && a.isContiguous()
        && b.isContiguous();
  }

  @Override
  public String toString() {
    return name() + spec.shape();
  }
}
