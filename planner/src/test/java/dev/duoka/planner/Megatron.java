package dev.duoka.planner;

import dev.duoka.planner.figure.Figure;
import dev.duoka.planner.layout.EngineTraits;

/** Megatron with Transformer Engine, whose published runs the closed forms are held against. */
public final class Megatron {
  /** What it adds to the arithmetic. */
  public static final EngineTraits TRAITS =
      new EngineTraits(
          "Megatron",
          true,
          true,
          Figure.measured(0.7 * (1L << 30)),
          Figure.ZERO,
          0.06,
          false,
          1.15,
          0,
          1,
          false,
          0,
          0.8,
          0.5,
          0,
          true, // its dispatcher alltoall
          true,
          true,
          5e-6);

  private Megatron() {}
}
