package dev.duoka.parallel.function;

/**
 * Which tokens of each sequence a context rank has. A sequence is cut into twice as many chunks as
 * there are ranks, and rank r has chunk r and, counted from the end, chunk r again: so that with
 * causal attention all ranks have the same work (zig-zag; Brandon et al., Striped Attention,
 * arXiv:2311.09431, and Dubey et al., Llama 3, arXiv:2407.21783 §3.3.2).
 *
 * @param ranks that share each sequence
 * @param rank which of them
 */
public record ContextChunks(int ranks, int rank) {
  /** The positions of this rank's tokens, ascending. */
  public int[] positions(int length) {
    if (length % (2 * ranks) != 0) {
      throw new IllegalArgumentException(
          "sequences of " + length + " tokens do not divide into " + 2 * ranks + " chunks");
    }
    int chunk = length / (2 * ranks);
    int[] positions = new int[2 * chunk];
    for (int i = 0; i < chunk; i++) {
      positions[i] = rank * chunk + i;
      positions[chunk + i] = (2 * ranks - 1 - rank) * chunk + i;
    }
    return positions;
  }
}
