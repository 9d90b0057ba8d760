package dev.duoka.model.weight;

/**
 * Neighbouring blocks of a model, in the order of the forward pass: block 0 embeds the tokens, each
 * decoder layer is a block, then come final norm and output head, and last the modules that predict
 * further tokens.
 *
 * @param first the first block
 * @param end one more than the last
 */
public record BlockRange(int first, int end) {
  /** The block of the embedding. */
  public static final int EMBEDDING = 0;

  /** All blocks of any model. */
  public static final BlockRange ALL = new BlockRange(0, Integer.MAX_VALUE);

  public BlockRange {
    if (first < 0 || end <= first) {
      throw new IllegalArgumentException("no blocks from " + first + " to before " + end);
    }
  }

  /** The block of decoder layer number {@code layer}, from 0. */
  public static int ofLayer(int layer) {
    return 1 + layer;
  }

  /** Whether the embedding of tokens is one of them. */
  public boolean embeds() {
    return contains(EMBEDDING);
  }

  /** Whether a block is one of them. */
  public boolean contains(int block) {
    return block >= first && block < end;
  }
}
