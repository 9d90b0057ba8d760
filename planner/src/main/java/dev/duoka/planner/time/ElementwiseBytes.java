package dev.duoka.planner.time;

import dev.duoka.formats.modelconfig.AttentionShape;
import dev.duoka.formats.modelconfig.LayerShape;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Recompute;
import dev.duoka.planner.shape.ModelShape;

/**
 * Bytes that fused element-wise kernels move per token and layer, forward and backward together.
 * Norms and residual sums 22 hidden, RoPE 4 times queries and keys, SwiGLU 8 widths: 211 KB for
 * 2048/5504, where a roofline of a measured run has 220.
 */
final class ElementwiseBytes {
  /** Scattered rows reach half the bandwidth of streams, so their bytes count twice. */
  private static final double SCATTERED = 2;

  /**
   * Kernels of attention for the keys of one rank: about 20 forward, where results are put
   * together, and 20 backward.
   */
  private static final double RING = 40;

  private ElementwiseBytes() {}

  /** Bytes per token of a layer on one rank. */
  static double perToken(ModelShape shape, LayerShape layer, Layout layout, double imbalance) {
    AttentionShape attention = shape.attention();
    boolean latent = attention.latentWidth() > 0;
    double heads = (double) attention.queryWidth() + attention.keyWidth();
    // Latent attention also joins its parts into whole queries and keys.
    double rope = latent ? 6 * heads + 4.0 * attention.valueWidth() : 4 * heads;
    double elements =
        22.0 * shape.hidden() + rope + 8.0 * layer.width() + 8.0 * attention.latentWidth();
    if (layer.experts() > 0) {
      double visits = layer.expertsPerToken() * imbalance;
      elements += SCATTERED * 4 * (visits + 1) * shape.hidden() + 8 * visits * layer.expertWidth();
      elements += 12.0 * layer.experts();
    }
    double again =
        switch (layout.recompute()) {
          case NONE -> 1;
          case SELECTIVE -> 1.2;
          case FULL -> 4.0 / 3;
        };
    return layout.precision().bytes() * elements * again / layout.tensor();
  }

  /** Bytes per token of one pass through the loss on one rank. */
  static double lossPerToken(ModelShape shape, Layout layout) {
    double perLogit =
        switch (layout.loss()) {
          case UNFUSED -> 26;
          case FUSED -> 8;
          case CHUNKED -> 10;
        };
    return perLogit * shape.vocabulary() / layout.tensor();
  }

  /** Kernels of a layer and a micro-batch, forward and backward. */
  static double kernels(LayerShape layer, Layout layout) {
    double kernels = layer.experts() > 0 ? 110 : 50;
    kernels += layout.context() > 1 ? RING * layout.context() : 0;
    return layout.recompute() == Recompute.FULL ? kernels * 4 / 3 : kernels;
  }

  /** Kernels of the loss; chunks of 64 MiB of logits need several each. */
  static double lossKernels(ModelShape shape, Layout layout, double tokens) {
    return layout.loss() == LossKind.CHUNKED
        ? 10 * Math.ceil(tokens * shape.vocabulary() * 4 / (64.0 * (1 << 20)))
        : 10;
  }
}
