package dev.duoka.train.config;

import dev.duoka.train.config.binding.Doc;

/** Section {@code generate_sample}: a text that the trained model writes at the end of the run. */
public record SampleSettings(
    @Doc("Text that the sample begins with.") String prompt,
    @Doc(
            value = "Length of the sample without the prompt.",
            unit = "tokens",
            byDefault = "200",
            range = "[1, 1048576]")
        int tokens,
    @Doc(
            value = "Divides the logits before sampling; 0 always takes the likeliest token.",
            byDefault = "0.8",
            range = "[0, 100]")
        double temperature) {}
