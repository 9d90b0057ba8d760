package dev.duoka.measure.kernel;

import dev.duoka.engine.autograd.FunctionObserver.Phase;
import dev.duoka.engine.autograd.Product;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.engine.autograd.Work;
import dev.duoka.hardware.StreamSample;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.DropoutKernel;
import dev.duoka.tensor.kernel.HeadKernels;
import dev.duoka.tensor.kernel.NarrowProductsKernel;
import dev.duoka.tensor.kernel.Nf4Kernel;
import dev.duoka.tensor.kernel.NormKernels;
import dev.duoka.tensor.kernel.QuantizeKernel;
import dev.duoka.tensor.kernel.SwiGluKernels;
import dev.duoka.tensor.nf4.Nf4Layout;
import dev.duoka.tensor.nf4.Nf4Piece;
import dev.duoka.tensor.nf4.Nf4Weights;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.scaled.Quantization;
import dev.duoka.tensor.scaled.ScaledMatrix;
import java.util.List;

/** What every decoder layer runs: products, norms, heads, SwiGLU. */
final class LayerKernels {
  private static final long ADAPTER_WIDTH = 16;

  private final KernelTimer timer;
  private final KernelBenchmark.Sizes sizes;

  LayerKernels(KernelTimer timer, KernelBenchmark.Sizes sizes) {
    this.timer = timer;
    this.sizes = sizes;
  }

  void run() {
    products();
    quantization();
    fourBits();
    dropout();
    adapter();
    norms();
    rotary();
    latentHeads();
    swiGlu();
  }

  /** Of a linear layer: forward, and both gradients. */
  private void products() {
    long rows = sizes.rows();
    try (Scope _ = Scope.open()) {
      Tensor x = timer.random(rows, sizes.hidden());
      Tensor weight = timer.random(sizes.intermediate(), sizes.hidden());
      Tensor dy = timer.random(rows, sizes.intermediate());
      Tensor gradient = timer.random(Dtype.FLOAT32, sizes.intermediate(), sizes.hidden());
      double flops = 2.0 * rows * sizes.hidden() * sizes.intermediate();
      double factors = x.bytes() + (double) weight.bytes() + dy.bytes(); // two read, one written
      ProductShape shape =
          new ProductShape.Linear(timer.dtype(), false, rows, sizes.hidden(), sizes.intermediate());
      timer.time(
          "product x · Wᵀ",
          new Work(flops, factors, new Product(shape, Phase.FORWARD)),
          () -> Products.mmTransposedB(x, weight));
      timer.time(
          "product dy · W",
          new Work(flops, factors, new Product(shape, Phase.INPUT_GRADIENTS)),
          () -> Products.mm(dy, weight));
      timer.time(
          "product dyᵀ · x, added in fp32",
          new Work(
              flops,
              x.bytes() + dy.bytes() + 2.0 * gradient.bytes(),
              new Product(shape, Phase.WEIGHT_GRADIENTS)),
          () -> Products.outerInto(gradient, dy, x, true));
    }
  }

  void quantization() {
    try (Scope _ = Scope.open()) {
      Tensor x = timer.random(sizes.rows(), sizes.hidden());
      Tensor weight = timer.random(sizes.intermediate(), sizes.hidden());
      quantization(StreamSample.QUANTIZE, x, () -> Quantization.rowsAndColumns(x));
      ScaledMatrix.Pair room =
          Quantization.roomForBlocks(sizes.intermediate(), sizes.hidden(), timer.device());
      quantization("quantize blocks", weight, () -> Quantization.blocks(weight, room));
    }
  }

  /** Two bytes are read and one written twice for each element; scales are a hundredth. */
  private void quantization(String name, Tensor x, Runnable body) {
    double bytes = x.bytes() + 2.0 * x.elements();
    if (QuantizeKernel.take(x)) {
      timer.time(name, bytes, body);
    } else {
      timer.leaveOut(name, new Work(0, bytes));
    }
  }

  /** A weight in 4 bits: half a byte and a scale are read of each element, and it is written. */
  private void fourBits() {
    long rows = sizes.intermediate();
    long columns = sizes.hidden();
    try (Scope _ = Scope.open()) {
      Nf4Layout layout = new Nf4Layout();
      layout.add(0, new Nf4Piece(rows * columns, 0, columns, rows, columns, true), 0, columns);
      Tensor packed = Tensors.zeros(Dtype.UINT8, timer.device(), layout.bytes());
      Tensor weight = timer.random(rows * columns);
      double bytes = (double) packed.bytes() + weight.bytes();
      if (Nf4Kernel.take(weight)) {
        timer.time(
            "weight from 4 bits", bytes, () -> Nf4Weights.dequantize(packed, layout, weight));
      } else {
        timer.leaveOut("weight from 4 bits", new Work(0, bytes));
      }
    }
  }

  /** Of an adapter's input. */
  private void dropout() {
    try (Scope _ = Scope.open()) {
      Tensor x = timer.random(sizes.rows(), sizes.hidden());
      Tensor kept = timer.random(sizes.rows(), sizes.hidden());
      Tensor tokens = Tensors.zeros(Dtype.INT64, timer.device(), sizes.rows());
      DropoutKernel.Choice choice = new DropoutKernel.Choice(1, 1, 1L << 19, 1.0625);
      double bytes = (double) x.bytes() + kept.bytes();
      if (DropoutKernel.take(x)) {
        timer.time("adapter dropout", bytes, () -> DropoutKernel.run(x, tokens, kept, choice));
      } else {
        timer.leaveOut("adapter dropout", new Work(0, bytes));
      }
    }
  }

  /** Both gradients of an adapter that need its outputs' gradient, of which little else is read. */
  private void adapter() {
    try (Scope _ = Scope.open()) {
      Tensor dy = timer.random(sizes.rows(), sizes.intermediate());
      Tensor up = timer.random(sizes.intermediate(), ADAPTER_WIDTH);
      Tensor inner = timer.random(sizes.rows(), ADAPTER_WIDTH);
      Tensor innerGradient = timer.random(sizes.rows(), ADAPTER_WIDTH);
      List<NarrowProductsKernel.Part> parts = List.of(new NarrowProductsKernel.Part(up, 0));
      double bytes = dy.bytes() + up.bytes() + 4.0 * up.elements() + 2.0 * inner.bytes();
      if (NarrowProductsKernel.take(dy, inner, parts)) {
        timer.time(
            "adapter gradients",
            bytes,
            () -> NarrowProductsKernel.run(dy, inner, parts, innerGradient, 2));
      } else {
        timer.leaveOut("adapter gradients", new Work(0, bytes));
      }
    }
  }

  private void norms() {
    try (Scope _ = Scope.open()) {
      Tensor x = timer.random(sizes.rows(), sizes.hidden());
      Tensor dy = timer.random(sizes.rows(), sizes.hidden());
      Tensor weight = timer.random(sizes.hidden());
      double one = x.bytes();
      timer.time("rms norm", 2 * one, () -> NormKernels.forward(x, weight, 1e-6));
      Tensor inverse = NormKernels.forward(x, weight, 1e-6)[1];
      Tensor parts = NormKernels.parts(x);
      timer.time(
          "rms norm backward",
          3 * one,
          () -> NormKernels.backward(dy, x, weight, inverse, null, null, parts));
      timer.time(
          "rms norm backward + residual",
          4 * one,
          () -> NormKernels.backward(dy, x, weight, inverse, dy, null, parts));
      Tensor sum = timer.random(Dtype.FLOAT32, sizes.hidden());
      timer.time(
          "rms norm, sum of parts",
          parts.bytes() + 2.0 * sum.bytes(),
          () -> NormKernels.sumParts(parts, sum, true));
    }
  }

  private HeadKernels.Rotation rotation(long width) {
    Tensor cosines = timer.random(Dtype.FLOAT32, sizes.rows(), width / 2);
    Tensor sines = timer.random(Dtype.FLOAT32, sizes.rows(), width / 2);
    return new HeadKernels.Rotation(cosines, sines, false, 0);
  }

  private void rotary() {
    try (Scope _ = Scope.open()) {
      Tensor heads = timer.random(1, sizes.rows(), sizes.heads(), sizes.headWidth());
      HeadKernels.Rotation rotation = rotation(sizes.headWidth());
      timer.time(
          "rotary, in place",
          2.0 * heads.bytes() + tables(rotation),
          () -> HeadKernels.rotate(heads, heads, rotation, 1));
    }
  }

  private void latentHeads() {
    long rows = sizes.rows();
    long nope = sizes.nope();
    try (Scope _ = Scope.open()) {
      Tensor latent = timer.random(1, rows, sizes.heads(), nope + sizes.value());
      Tensor shared = timer.random(rows, sizes.rope());
      HeadKernels.Rotation rotation = rotation(sizes.rope());
      Tensor key = HeadKernels.latentKeys(latent, shared, nope, rotation);
      double content = (double) latent.bytes() / (nope + sizes.value()) * nope;
      timer.time(
          "latent keys",
          content + shared.bytes() + key.bytes() + tables(rotation),
          () -> HeadKernels.latentKeys(latent, shared, nope, rotation));
      Tensor dKey = timer.random(key.shape());
      Tensor dValue = timer.random(1, rows, sizes.heads(), sizes.value());
      timer.time(
          "latent keys and values backward",
          dKey.bytes()
              + (double) dValue.bytes()
              + latent.bytes()
              + shared.bytes()
              + tables(rotation),
          () -> HeadKernels.latentGradients(dKey, dValue, nope, rotation));
    }
  }

  private static double tables(HeadKernels.Rotation rotation) {
    return rotation.cosines().bytes() + (double) rotation.sines().bytes();
  }

  private void swiGlu() {
    try (Scope _ = Scope.open()) {
      Tensor joint = timer.random(sizes.rows(), 2 * sizes.intermediate());
      Tensor dy = timer.random(sizes.rows(), sizes.intermediate());
      double one = dy.bytes();
      timer.time("swiglu", 3 * one, () -> SwiGluKernels.forward(joint, null));
      timer.time("swiglu backward", 5 * one, () -> SwiGluKernels.backward(joint, dy, null, null));
      Tensor again = Tensors.empty(dy.dtype(), dy.device(), dy.shape());
      timer.time(
          "swiglu backward + output again",
          6 * one,
          () -> SwiGluKernels.backward(joint, dy, null, again));
    }
  }
}
