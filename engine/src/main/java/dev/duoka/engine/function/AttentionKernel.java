package dev.duoka.engine.function;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.AttentionKernels;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;

/** The ways to compute attention; all tensors are {@code [b, heads, t, width]}. */
public enum AttentionKernel {
  /** LibTorch's flash attention for the CPU; a narrower value is padded with zeros. */
  FLASH_CPU(2) {
    @Override
    Tensor[] forward(Tensor query, Tensor key, Tensor value, boolean causal, double scale) {
      Tensor[] results =
          AttentionKernels.flashCpu(query, key, padded(value, query.size(3)), causal, scale);
      results[0] = unpadded(results[0], value.size(3));
      return results;
    }

    @Override
    Tensor[] backward(
        Tensor gradient,
        Tensor query,
        Tensor key,
        Tensor value,
        Tensor[] results,
        boolean causal,
        double scale) {
      long width = query.size(3);
      Tensor[] gradients =
          AttentionKernels.flashCpuBackward(
              padded(Views.dense(gradient), width),
              query,
              key,
              padded(value, width),
              padded(results[0], width),
              results[1],
              causal,
              scale);
      gradients[2] = unpadded(gradients[2], value.size(3));
      return gradients;
    }
  },

  /** cuDNN's fused attention: bf16 and fp16 on CUDA, any layout with dense rows. */
  CUDNN(4) {
    @Override
    boolean groupsHeads() {
      return true;
    }

    @Override
    Tensor[] resultsOf(Tensor output, Tensor logSums, Tensor query) {
      return new Tensor[] {
        output,
        Views.reshape(logSums, query.size(0), query.size(1), query.size(2), 1),
        Tensors.zeros(Dtype.INT64, query.device()),
        Tensors.zeros(Dtype.INT64, query.device())
      };
    }

    @Override
    Tensor[] forward(Tensor query, Tensor key, Tensor value, boolean causal, double scale) {
      AttentionPlans.forward(query, key, value, causal, scale);
      return AttentionKernels.cudnn(query, key, value, causal, scale);
    }

    @Override
    Tensor[] backward(
        Tensor gradient,
        Tensor query,
        Tensor key,
        Tensor value,
        Tensor[] results,
        boolean causal,
        double scale) {
      AttentionPlans.backward(gradient, query, key, value, results[0], causal, scale);
      AttentionCall.Backward planned =
          AttentionCall.of(query, key, value, causal, scale).planned(results[0], gradient);
      Tensor[] laidOut = results.clone();
      laidOut[0] = planned.output().laidOut(results[0]);
      Tensor likewise = planned.gradient().laidOut(gradient);
      return AttentionKernels.cudnnBackward(likewise, query, key, value, laidOut, causal, scale);
    }
  },

  /**
   * LibTorch's flash attention for CUDA with a backward pass that gives the same bits each time,
   * which cuDNN's does not; a narrower value is padded with zeros.
   */
  FLASH_CUDA(2) {
    @Override
    Tensor[] forward(Tensor query, Tensor key, Tensor value, boolean causal, double scale) {
      Tensor[] results =
          AttentionKernels.flash(query, key, padded(value, query.size(3)), causal, scale);
      results[0] = unpadded(results[0], value.size(3));
      return results;
    }

    @Override
    Tensor[] backward(
        Tensor gradient,
        Tensor query,
        Tensor key,
        Tensor value,
        Tensor[] results,
        boolean causal,
        double scale) {
      long width = query.size(3);
      Tensor[] forward = results.clone();
      forward[0] = padded(results[0], width);
      Tensor[] gradients =
          AttentionKernels.flashBackward(
              padded(gradient, width), query, key, padded(value, width), forward, causal, scale);
      gradients[2] = unpadded(gradients[2], value.size(3));
      return gradients;
    }
  },

  /** The definition, written out; keeps the whole score matrix. */
  REFERENCE(2) {
    @Override
    Tensor[] forward(Tensor query, Tensor key, Tensor value, boolean causal, double scale) {
      return ReferenceAttention.forward(
          Views.dense(query), Views.dense(key), Views.dense(value), causal, scale);
    }

    @Override
    Tensor[] backward(
        Tensor gradient,
        Tensor query,
        Tensor key,
        Tensor value,
        Tensor[] results,
        boolean causal,
        double scale) {
      return ReferenceAttention.backward(
          Views.dense(gradient),
          Views.dense(query),
          Views.dense(key),
          Views.dense(value),
          results[1],
          scale);
    }
  },

  /** A dry run on {@code meta} of what runs on the CPU. */
  SHAPES_ONLY(2) {
    @Override
    Tensor[] forward(Tensor query, Tensor key, Tensor value, boolean causal, double scale) {
      return AttentionKernels.shapesOnly(query, value, false);
    }

    @Override
    Tensor[] backward(
        Tensor gradient,
        Tensor query,
        Tensor key,
        Tensor value,
        Tensor[] results,
        boolean causal,
        double scale) {
      return new Tensor[] {like(query), like(key), like(value)};
    }
  },

  /** A dry run on {@code meta} of {@link #FLASH_CUDA}. */
  SHAPES_OF_FLASH(2) {
    @Override
    Tensor[] forward(Tensor query, Tensor key, Tensor value, boolean causal, double scale) {
      Tensor[] results = AttentionKernels.shapesOnly(query, padded(value, query.size(3)), true);
      results[0] = unpadded(results[0], value.size(3));
      return results;
    }

    @Override
    Tensor[] backward(
        Tensor gradient,
        Tensor query,
        Tensor key,
        Tensor value,
        Tensor[] results,
        boolean causal,
        double scale) {
      long width = query.size(3);
      for (Tensor narrow : new Tensor[] {gradient, value, results[0]}) {
        padded(narrow, width);
      }
      Tensor wide = like(padded(value, width));
      return new Tensor[] {like(query), like(key), unpadded(wide, value.size(3))};
    }
  },

  /** A dry run on {@code meta} of what cuDNN does. */
  SHAPES_OF_CUDNN(2) {
    @Override
    boolean groupsHeads() {
      return true;
    }

    @Override
    Tensor[] forward(Tensor query, Tensor key, Tensor value, boolean causal, double scale) {
      AttentionPlans.forward(query, key, value, causal, scale);
      // The output lies as the query does (LibTorch's alloc_with_matching_layout).
      long[] strides = query.strides();
      return AttentionKernels.shapesOnly(query, value, strides[2] >= strides[1]);
    }

    @Override
    Tensor[] backward(
        Tensor gradient,
        Tensor query,
        Tensor key,
        Tensor value,
        Tensor[] results,
        boolean causal,
        double scale) {
      AttentionPlans.backward(gradient, query, key, value, results[0], causal, scale);
      return new Tensor[] {like(query), like(key), like(value)};
    }
  };

  private final int results;

  AttentionKernel(int results) {
    this.results = results;
  }

  /** How many tensors {@link #forward} returns, the output first; the rest is for the gradients. */
  int results() {
    return results;
  }

  /**
   * What {@link #forward} would return, from the output and the log-sum-exp {@code [b, heads, t]}:
   * the rest is of dropout, which nobody uses.
   */
  Tensor[] resultsOf(Tensor output, Tensor logSums, Tensor query) {
    Tensor[] all = new Tensor[results];
    all[0] = output;
    all[1] = logSums;
    return all;
  }

  /** Whether fewer key heads than query heads are taken as they are. */
  boolean groupsHeads() {
    return false;
  }

  abstract Tensor[] forward(Tensor query, Tensor key, Tensor value, boolean causal, double scale);

  /** The gradients of query, key and value. */
  abstract Tensor[] backward(
      Tensor gradient,
      Tensor query,
      Tensor key,
      Tensor value,
      Tensor[] results,
      boolean causal,
      double scale);

  private static Tensor padded(Tensor tensor, long width) {
    if (tensor.size(3) == width) {
      return tensor;
    }
    Tensor zeros =
        Tensors.zeros(
            tensor.dtype(),
            tensor.device(),
            tensor.size(0),
            tensor.size(1),
            tensor.size(2),
            width - tensor.size(3));
    return Copies.concatenate(3, tensor, zeros);
  }

  private static Tensor unpadded(Tensor tensor, long width) {
    return tensor.size(3) == width ? tensor : Copies.dense(Views.narrow(tensor, 3, 0, width));
  }

  private static Tensor like(Tensor tensor) {
    return Tensors.empty(tensor.dtype(), tensor.device(), tensor.shape());
  }
}
