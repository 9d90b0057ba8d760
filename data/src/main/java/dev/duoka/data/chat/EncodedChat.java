package dev.duoka.data.chat;

import java.util.BitSet;

/**
 * A chat as token ids with the places to learn from.
 *
 * @param ids the tokens, in order
 * @param trainable bit i is set if the loss counts the prediction of token i (not the one after it)
 */
public record EncodedChat(int[] ids, BitSet trainable) {
  /** How many tokens the loss counts. */
  public int trainableTokens() {
    return trainable.cardinality();
  }
}
