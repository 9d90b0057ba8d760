package dev.duoka.train.config;

import dev.duoka.train.config.binding.Doc;
import java.util.OptionalDouble;

/** Section {@code optimizer}: AdamW with decoupled weight decay (Loshchilov and Hutter, 2019). */
public record OptimizerSettings(
    @Doc(
            value = "Peak learning rate, reached at the end of the warm-up.",
            byDefault = "3e-4",
            range = "(0, 10]")
        double learningRate,
    @Doc(value = "Decay of the first moment.", byDefault = "0.9", range = "[0, 1)") double beta1,
    @Doc(value = "Decay of the second moment.", byDefault = "0.95", range = "[0, 1)") double beta2,
    @Doc(value = "Added to the root of the second moment.", byDefault = "1e-8", range = "(0, 1]")
        double eps,
    @Doc(value = "Decoupled weight decay.", byDefault = "0.1", range = "[0, 10]")
        double weightDecay,
    @Doc(
            value =
                "Gradients whose global L2 norm is larger are scaled down to it; 0 switches"
                    + " clipping off.",
            whenAbsent = "1.0, or 0.5 under `fp16`",
            range = "[0, inf)")
        OptionalDouble clipNorm) {}
