package dev.duoka.data.chat;

import java.util.BitSet;

/** A chat as token ids with the places to learn from. */
public final class EncodedChat {
  private final int[] ids;
  private final BitSet trainable;

  EncodedChat(int[] ids, BitSet trainable) {
    this.ids = ids;
    this.trainable = trainable;
  }

  /** The tokens, in order. */
  public int[] ids() {
    return ids;
  }

  /** Whether the loss counts the prediction of this token (not of the one after it). */
  public boolean isTrainable(int index) {
    return trainable.get(index);
  }

  /** How many tokens the loss counts. */
  public int trainableTokens() {
    return trainable.cardinality();
  }
}
