package dev.duoka.train.config;

import dev.duoka.train.config.binding.Doc;

/** Section {@code loss_scale}: dynamic loss scaling under fp16, as torch.amp.GradScaler does it. */
public record LossScaleSettings(
    @Doc(value = "Scale at the start.", byDefault = "65536", range = "[1, 1e30]") double initial,
    @Doc(
            value = "The scale is multiplied by it after `growth_interval` steps without overflow.",
            byDefault = "2",
            range = "(1, 1024]")
        double growthFactor,
    @Doc(
            value = "The scale is multiplied by it after an overflow, whose step is skipped.",
            byDefault = "0.5",
            range = "(0, 1)")
        double backoffFactor,
    @Doc(
            value = "Steps without overflow before the scale grows.",
            unit = "steps",
            byDefault = "2000",
            range = "[1, 1000000000]")
        int growthInterval) {}
