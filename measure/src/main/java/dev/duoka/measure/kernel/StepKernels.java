package dev.duoka.measure.kernel;

import dev.duoka.engine.optimizer.GradientSquares;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.AdamWBuffers;
import dev.duoka.tensor.kernel.AdamWKernel;
import dev.duoka.tensor.kernel.CrossEntropyKernel;
import dev.duoka.tensor.kernel.EmbeddingKernel;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Tensors;
import java.util.Arrays;
import java.util.List;

/** What runs once in a step: embedding, loss, and the update. */
final class StepKernels {
  /** Elements of the buffers that the optimizer updates; far more than a cache holds. */
  private static final long UPDATED = 1L << 28;

  private static final long MOST_LOGIT_ROWS = 4096;

  private final KernelTimer timer;
  private final KernelBenchmark.Sizes sizes;
  private final Device device;

  StepKernels(KernelTimer timer, KernelBenchmark.Sizes sizes) {
    this.timer = timer;
    this.sizes = sizes;
    device = timer.device();
  }

  void run() {
    embedding();
    crossEntropy();
    adamw();
  }

  private void embedding() {
    long rows = sizes.rows();
    try (Scope _ = Scope.open()) {
      long[] ids = timer.indices(sizes.vocabulary(), rows);
      Tensor tokens = HostCopy.fromLongs(ids, device, rows);
      Tensor order = Indexing.sortedOrder(tokens);
      Tensor keys = Indexing.gather(tokens, 0, order);
      Tensor dy = timer.random(rows, sizes.hidden());
      Tensor target = Tensors.zeros(Dtype.FLOAT32, device, sizes.vocabulary(), sizes.hidden());
      double touched = 2.0 * 4 * sizes.hidden() * Arrays.stream(ids).distinct().count();
      timer.time(
          "embedding gradient, added in fp32",
          dy.bytes() + keys.bytes() + order.bytes() + touched,
          () -> EmbeddingKernel.add(target, keys, order, dy));
    }
  }

  void crossEntropy() {
    long rows = Math.min(sizes.rows(), MOST_LOGIT_ROWS);
    try (Scope _ = Scope.open()) {
      Tensor logits = timer.random(rows, sizes.vocabulary());
      Tensor targets = HostCopy.fromLongs(timer.indices(sizes.vocabulary(), rows), device, rows);
      timer.time(
          "cross-entropy with gradient",
          2.0 * logits.bytes(),
          () -> CrossEntropyKernel.run(logits, targets, 1, true));
    }
  }

  private void adamw() {
    try (Scope _ = Scope.open()) {
      Tensor values = timer.random(UPDATED);
      Tensor gradients = timer.random(Dtype.FLOAT32, UPDATED);
      Tensor first = Tensors.zeros(Dtype.FLOAT32, device, UPDATED);
      Tensor second = Tensors.zeros(Dtype.FLOAT32, device, UPDATED);
      Tensor norm = Tensors.full(1, Dtype.FLOAT64, device, 1);
      try (GradientSquares squares =
          new GradientSquares(
              values.dtype(),
              List.of(gradients),
              List.of(List.of(new GradientSquares.Piece(0, 0, UPDATED))),
              1)) {
        timer.time("squared norm", 4.0 * UPDATED, () -> squares.of(List.of(gradients)));
      }
      AdamWKernel.Update update = new AdamWKernel.Update(1e-4, 0.9, 0.95, 1e-8, 0.1, 1, 1, 1);
      // As a run keeps master weights: of fp32 none, of bf16 what bf16 leaves, of fp16 a copy.
      Tensor master =
          switch (values.dtype()) {
            case BFLOAT16 -> Tensors.zeros(Dtype.INT16, device, UPDATED);
            case FLOAT16 -> Tensors.zeros(Dtype.FLOAT32, device, UPDATED);
            default -> null;
          };
      AdamWBuffers buffers = new AdamWBuffers(values, master, gradients, first, null, second, null);
      // Gradients are read, moments read and written.
      double perElement = 4 + 2 * 2 * 4 + buffers.masters().bytesOfUpdate();
      timer.time("adamw", perElement * UPDATED, () -> AdamWKernel.step(buffers, norm, update));
    }
  }
}
