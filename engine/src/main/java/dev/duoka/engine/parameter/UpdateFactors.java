package dev.duoka.engine.parameter;

/**
 * How the update of some weights differs from that of the others.
 *
 * @param rate what their learning rate is multiplied by
 * @param decay what their weight decay is multiplied by
 */
public record UpdateFactors(double rate, double decay) {
  /** Of weights that are updated like most. */
  public static final UpdateFactors ONE = new UpdateFactors(1, 1);

  /** Refuses what is no factor. */
  public UpdateFactors {
    if (!(rate > 0 && rate < Double.POSITIVE_INFINITY && decay >= 0 && decay <= 1)) {
      throw new IllegalArgumentException("factors of " + rate + " and " + decay);
    }
  }
}
