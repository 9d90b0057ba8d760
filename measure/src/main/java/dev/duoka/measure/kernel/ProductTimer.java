package dev.duoka.measure.kernel;

import dev.duoka.engine.autograd.FunctionObserver.Phase;
import dev.duoka.engine.autograd.Product;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.engine.function.ExpertProducts;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.GroupedOuterKernel;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.GroupedProducts;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.scaled.Quantization;
import dev.duoka.tensor.scaled.ScaledMatrix;
import dev.duoka.tensor.scaled.ScaledProducts;

/** Times products alone, on random numbers, as the engine's functions compute them. */
public final class ProductTimer {
  private final Device device;

  /** A timer of what {@code device} reaches. */
  public ProductTimer(Device device) {
    this.device = device;
  }

  /** The seconds that the products need on an otherwise idle device. */
  public double seconds(Product product) {
    Phase phase = product.phase();
    return switch (product.shape()) {
      case ProductShape.Linear linear -> linear(linear, phase);
      case ProductShape.Grouped grouped -> grouped(grouped, phase);
      case ProductShape.Head head -> head(head);
      case ProductShape.Attention attention -> AttentionTimer.seconds(device, attention, phase);
    };
  }

  private double head(ProductShape.Head head) {
    ProductShape.Linear linear =
        new ProductShape.Linear(head.dtype(), false, head.rows(), head.in(), head.out());
    return head.phases().stream().mapToDouble(phase -> linear(linear, phase)).sum();
  }

  private double linear(ProductShape.Linear sizes, Phase phase) {
    try (Scope _ = Scope.open();
        KernelTimer timer = new KernelTimer(device, sizes.dtype())) {
      Runnable product = sizes.scaled() ? scaled(timer, sizes, phase) : plain(timer, sizes, phase);
      return timer.milliseconds(product) * 1e-3;
    }
  }

  private Runnable plain(KernelTimer timer, ProductShape.Linear sizes, Phase phase) {
    return switch (phase) {
      case FORWARD -> {
        Tensor x = timer.random(sizes.rows(), sizes.in());
        Tensor weight = timer.random(sizes.out(), sizes.in());
        yield () -> Products.mmTransposedB(x, weight);
      }
      case INPUT_GRADIENTS -> {
        Tensor dy = timer.random(sizes.rows(), sizes.out());
        Tensor weight = timer.random(sizes.out(), sizes.in());
        yield () -> Products.mm(dy, weight);
      }
      case WEIGHT_GRADIENTS -> {
        Tensor dy = timer.random(sizes.rows(), sizes.out());
        Tensor x = timer.random(sizes.rows(), sizes.in());
        yield weightGradient(dy, x);
      }
      case UPDATE -> throw noProduct(phase);
    };
  }

  /** Added in fp32 without a temporary where the device can. */
  private Runnable weightGradient(Tensor dy, Tensor x) {
    if (device.equals(Device.CPU) && dy.dtype().bytes() < Float.BYTES) {
      return () -> Products.mmTransposedA(dy, x);
    }
    if (dy.dtype().bytes() < Float.BYTES) {
      Tensor target = Tensors.zeros(Dtype.FLOAT32, device, dy.size(1), x.size(1));
      return () -> Products.outerInto(target, dy, x, true);
    }
    Tensor target = Tensors.zeros(dy.dtype(), device, dy.size(1), x.size(1));
    Tensor transposed = Views.transpose(dy, 0, 1);
    return () -> Products.mmInto(target, transposed, x, 1);
  }

  /** The products alone: quantization moves bytes and computes nothing that counts. */
  private Runnable scaled(KernelTimer timer, ProductShape.Linear sizes, Phase phase) {
    return switch (phase) {
      case FORWARD -> scaledProduct(timer, sizes.rows(), sizes.in(), sizes.out());
      case INPUT_GRADIENTS -> scaledProduct(timer, sizes.rows(), sizes.out(), sizes.in());
      case WEIGHT_GRADIENTS -> {
        ScaledMatrix dy = Quantization.rows(timer.random(sizes.out(), sizes.rows()));
        ScaledMatrix x = Quantization.rows(timer.random(sizes.in(), sizes.rows()));
        Tensor target = Tensors.zeros(Dtype.FLOAT32, device, sizes.out(), sizes.in());
        yield () -> ScaledProducts.intoTransposedB(target, dy, x, true);
      }
      case UPDATE -> throw noProduct(phase);
    };
  }

  private Runnable scaledProduct(KernelTimer timer, long rows, long inner, long columns) {
    ScaledMatrix factor = Quantization.rows(timer.random(rows, inner));
    ScaledMatrix.Pair weight = Quantization.roomForBlocks(columns, inner, device);
    Quantization.blocks(timer.random(columns, inner), weight);
    return () -> ScaledProducts.transposedB(factor, weight.matrix(), null, timer.dtype());
  }

  private double grouped(ProductShape.Grouped sizes, Phase phase) {
    try (Scope _ = Scope.open();
        KernelTimer timer = new KernelTimer(device, sizes.dtype())) {
      Tensor ends = ends(sizes);
      return timer.milliseconds(
              switch (phase) {
                case FORWARD -> {
                  Tensor x = timer.random(sizes.rows(), sizes.in());
                  Tensor weight = timer.random(sizes.groups(), sizes.out(), sizes.in());
                  Tensor transposed = Views.transpose(weight, 1, 2);
                  yield () -> ExpertProducts.rowsByMatrices(x, transposed, ends);
                }
                case INPUT_GRADIENTS -> {
                  Tensor dy = timer.random(sizes.rows(), sizes.out());
                  Tensor weight = timer.random(sizes.groups(), sizes.out(), sizes.in());
                  yield () -> ExpertProducts.rowsByMatrices(dy, weight, ends);
                }
                case WEIGHT_GRADIENTS -> weightGradients(timer, sizes, ends);
                case UPDATE -> throw noProduct(phase);
              })
          * 1e-3;
    }
  }

  private Runnable weightGradients(KernelTimer timer, ProductShape.Grouped sizes, Tensor ends) {
    Tensor dy = timer.random(sizes.rows(), sizes.out());
    Tensor x = timer.random(sizes.rows(), sizes.in());
    Tensor target = Tensors.zeros(Dtype.FLOAT32, device, sizes.groups(), sizes.out(), sizes.in());
    return GroupedOuterKernel.take(dy, x, target)
        ? () -> GroupedOuterKernel.run(target, dy, x, ends, true)
        : () -> GroupedProducts.outerByGroup(dy, x, ends);
  }

  /** Where the rows of each group end: as many to each as a balanced router sends. */
  private Tensor ends(ProductShape.Grouped sizes) {
    long[] ends = new long[sizes.groups()];
    for (int i = 0; i < ends.length; i++) {
      ends[i] = sizes.rows() * (i + 1) / sizes.groups();
    }
    return Copies.cast(HostCopy.fromLongs(ends, device, ends.length), Dtype.INT32);
  }

  private static IllegalArgumentException noProduct(Phase phase) {
    return new IllegalArgumentException("no product belongs to " + phase);
  }
}
