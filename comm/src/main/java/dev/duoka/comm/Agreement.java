package dev.duoka.comm;

/**
 * What the hosts of a group's ranks agree on: numbers and flags that no device needs. Every method
 * is collective and returns when all ranks have called it; the devices are neither asked nor waited
 * for.
 */
public interface Agreement {
  /** Sums numbers over all ranks, in place, in the order of the ranks. */
  void sum(double[] values);

  /** Whether any rank says so. */
  default boolean any(boolean mine) {
    double[] votes = {mine ? 1 : 0};
    sum(votes);
    return votes[0] > 0;
  }

  /** Waits until every rank is here. */
  void barrier();
}
