package dev.duoka.measure.kernel;

import dev.duoka.engine.autograd.FunctionObserver.Phase;
import dev.duoka.engine.autograd.Product;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.engine.autograd.Work;
import dev.duoka.engine.function.ExpertProducts;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.GroupedOuterKernel;
import dev.duoka.tensor.kernel.RouterKernels;
import dev.duoka.tensor.kernel.RoutingKernels;
import dev.duoka.tensor.op.GroupedProducts;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;

/** What a mixture of experts runs beside its products: choice, sort, and weight gradients. */
final class ExpertKernels {
  private final KernelTimer timer;
  private final KernelBenchmark.Sizes sizes;
  private final int experts;
  private final int perToken;

  ExpertKernels(KernelTimer timer, KernelBenchmark.Sizes sizes) {
    this.timer = timer;
    this.sizes = sizes;
    experts = sizes.experts();
    perToken = sizes.expertsPerToken();
  }

  void run() {
    router();
    routing();
  }

  private void router() {
    long rows = sizes.rows();
    RouterKernels.Rule rule = new RouterKernels.Rule(perToken, false, 1, 1, false, true, 1);
    try (Scope _ = Scope.open()) {
      Tensor logits = timer.random(Dtype.FLOAT32, rows, experts);
      double choices = 12.0 * rows * perToken; // a weight and an expert
      timer.time(
          "choice of experts",
          2.0 * logits.bytes() + choices,
          () -> RouterKernels.choose(logits, null, rule));
      Tensor[] chosen = RouterKernels.choose(logits, null, rule);
      timer.time(
          "choice of experts backward",
          2.0 * logits.bytes() + choices,
          () ->
              RouterKernels.backward(
                  logits, chosen[1], chosen[0], null, rule, timer.dtype() == Dtype.BFLOAT16));
      timer.time(
          "counts of choices for the balance loss",
          chosen[1].bytes() + 4.0 * experts,
          () -> RouterKernels.countByStretch(chosen[1], experts, rows));
    }
  }

  private void routing() {
    long rows = sizes.fewerRows();
    long count = rows * perToken;
    try (Scope _ = Scope.open()) {
      Tensor chosen = HostCopy.fromLongs(timer.indices(experts, count), timer.device(), count);
      timer.time(
          "sort by expert",
          4.0 * chosen.bytes(),
          () -> RoutingKernels.sort(chosen, experts, perToken, timer.dtype()));
      RoutingKernels.Sorted sorted = RoutingKernels.sort(chosen, experts, perToken, timer.dtype());
      Tensor position = sorted.position();
      weights(sorted, count);
      Tensor x = timer.random(rows, sizes.hidden());
      double bytes = (1.0 + perToken) * x.bytes() + position.bytes();
      timer.time(
          "spread", bytes, () -> RoutingKernels.spread(x, position, perToken, position.elements()));
      Tensor spread = RoutingKernels.spread(x, position, perToken, position.elements());
      timer.time("gather", bytes, () -> RoutingKernels.gather(spread, position, perToken, null));
      timer.time(
          "gather + addend",
          bytes + x.bytes(),
          () -> RoutingKernels.gather(spread, position, perToken, x));
      products(spread, sorted.ends());
      weightGradients(spread, sorted.ends());
    }
  }

  /** The weights of assignments, in the order of the experts. */
  private void weights(RoutingKernels.Sorted sorted, long count) {
    Tensor weights = timer.random(Dtype.FLOAT32, count);
    double bytes = 2.0 * weights.bytes() + sorted.order().bytes();
    if (RoutingKernels.takeValues(weights)) {
      timer.time(
          "weights in expert order",
          bytes,
          () -> RoutingKernels.values(weights, sorted.order(), count, 1));
    } else {
      timer.leaveOut("weights in expert order", new Work(0, bytes));
    }
  }

  /** Of the experts' joint gate and up projection, beside LibTorch's own. */
  private void products(Tensor x, Tensor ends) {
    try (Scope _ = Scope.open()) {
      long joint = 2 * sizes.expertWidth();
      Tensor dy = timer.random(x.size(0), joint);
      Tensor weight = timer.random(experts, joint, sizes.hidden());
      Tensor transposed = Views.transpose(weight, 1, 2);
      ProductShape shape =
          new ProductShape.Grouped(timer.dtype(), x.size(0), sizes.hidden(), joint, experts);
      double flops = 2.0 * x.elements() * joint;
      double bytes = x.bytes() + dy.bytes() + weight.bytes();
      Work forward = new Work(flops, bytes, new Product(shape, Phase.FORWARD));
      Work backward = new Work(flops, bytes, new Product(shape, Phase.INPUT_GRADIENTS));
      timer.time(
          "experts' product", forward, () -> ExpertProducts.rowsByMatrices(x, transposed, ends));
      timer.time(
          "experts' product, LibTorch's",
          forward,
          () -> GroupedProducts.rowsByMatrices(x, transposed, ends));
      timer.time(
          "gradients of experts' inputs",
          backward,
          () -> ExpertProducts.rowsByMatrices(dy, weight, ends));
      timer.time(
          "gradients of experts' inputs, LibTorch's",
          backward,
          () -> GroupedProducts.rowsByMatrices(dy, weight, ends));
    }
  }

  /** Of the experts' joint gate and up projection. */
  private void weightGradients(Tensor x, Tensor ends) {
    try (Scope _ = Scope.open()) {
      long joint = 2 * sizes.expertWidth();
      Tensor dy = timer.random(x.size(0), joint);
      Tensor target = Tensors.zeros(Dtype.FLOAT32, timer.device(), experts, joint, sizes.hidden());
      Work work =
          new Work(
              2.0 * x.elements() * joint,
              x.bytes() + dy.bytes() + 2.0 * target.bytes(),
              new Product(
                  new ProductShape.Grouped(
                      timer.dtype(), x.size(0), sizes.hidden(), joint, experts),
                  Phase.WEIGHT_GRADIENTS));
      String name = "experts' weight gradients, added in fp32";
      if (GroupedOuterKernel.take(dy, x, target)) {
        timer.time(name, work, () -> GroupedOuterKernel.run(target, dy, x, ends, true));
      } else {
        timer.leaveOut(name, work);
      }
    }
  }
}
