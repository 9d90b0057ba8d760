package dev.duoka.verify.selftest;

import dev.duoka.parallel.proof.Equality;
import dev.duoka.parallel.proof.Training;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * How far a mesh and one rank may be apart in 16 bits and fewer. Each gradient has a limit of its
 * own: some times what these bits change of it on one rank, against fp32. A mesh rounds partial
 * sums that one rank does not have, so it may be somewhat further away than that: up to twice among
 * 16 tensor ranks, on all presets' likenesses. What is lost when ranks do not exchange is far more:
 * half of the sum of two ranks, where all have the same gradient, and more where not.
 *
 * <p>AdamW makes steps of the same length from large gradients and from those that are all
 * rounding, so a weight's limit is a part of what the steps have moved it.
 */
final class RoundingLimits {
  /** Of losses and norms, relative. */
  private static final double NUMBERS = 0.02;

  /** Times what the precision changes of a gradient on one rank. */
  private static final double TIMES = 4;

  /** No gradient may lose more of its norm than this, however coarse its bits. */
  private static final double MOST = 0.4;

  /** Of what the steps have moved a weight. */
  private static final double OF_THE_WAY = 0.4;

  private static final Equality ALL =
      new Equality(NUMBERS, MOST, OF_THE_WAY, Equality.Measure.NORM);

  private RoundingLimits() {}

  /**
   * What differs by more than it may, the worst first.
   *
   * @param alone one rank in the same precision
   * @param fine one rank in fp32, from the same weights
   */
  static List<Equality.Difference> differences(
      Training.Outcome onMesh, Training.Outcome alone, Training.Outcome fine) {
    Map<String, Double> ofBits = Equality.distances(alone.gradients(), fine.gradients());
    Map<String, Double> moved = Equality.distances(alone.weights(), alone.start());
    UnaryOperator<Equality.Difference> limited =
        each ->
            switch (each.kind()) {
              case NUMBER -> each;
              case GRADIENT ->
                  each.withLimit(Math.min(MOST, TIMES * ofBits.getOrDefault(each.tensor(), 0.0)));
              case WEIGHT -> each.withLimit(OF_THE_WAY * moved.getOrDefault(each.tensor(), 0.0));
            };
    return ALL.differences(onMesh, alone, limited);
  }
}
