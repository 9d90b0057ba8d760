package dev.duoka.comm.launch;

/**
 * The ranks that a process holds, in a row.
 *
 * @param first the first one's number in the world
 * @param count how many
 * @param world how many ranks all processes hold together
 */
public record RankRange(int first, int count, int world) {
  /** All ranks of a run in one process. */
  public static RankRange all(int world) {
    return new RankRange(0, world, world);
  }

  /** Their numbers for people: {@code 2}, or {@code 2 to 3}. */
  public String text() {
    return count == 1 ? String.valueOf(first) : first + " to " + (first + count - 1);
  }

  /** Whether a rank is one of them. */
  public boolean holds(int rank) {
    return first <= rank && rank < first + count;
  }
}
