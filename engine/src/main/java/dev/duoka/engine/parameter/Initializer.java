package dev.duoka.engine.parameter;

/** How a weight starts. */
public sealed interface Initializer {
  /** Every element the same. */
  record Constant(double value) implements Initializer {}

  /** Evenly distributed between minus and plus the bound. */
  record Uniform(double bound) implements Initializer {}

  /** Normally distributed with mean 0. */
  record Normal(double standardDeviation) implements Initializer {}
}
