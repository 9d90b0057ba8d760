package dev.duoka.cli.command;

import dev.duoka.train.generate.Sampling;
import picocli.CommandLine.Option;

/** How the next token is chosen. */
final class SamplingOptions {
  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "200",
      description = "The most tokens to write; 200 by default.")
  private int tokens = 200;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      defaultValue = "0.8",
      description = "Divides the logits; 0 always takes the likeliest token. 0.8 by default.")
  private double temperature = 0.8;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      defaultValue = "0",
      description = "Sample from the K likeliest tokens only; 0 (default) for all.")
  private int topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      defaultValue = "1.0",
      description = "Sample from the likeliest tokens that together have probability P.")
  private double topP = 1;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Seed of the sampling; 0 by default.")
  private long seed;

  /** What was chosen. */
  Sampling sampling() {
    return new Sampling(temperature, topK, topP, seed, tokens);
  }
}
