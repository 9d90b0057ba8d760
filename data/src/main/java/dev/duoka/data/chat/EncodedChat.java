package dev.duoka.data.chat;

import java.util.BitSet;

/** A chat as token ids with the places to learn from. */
public final class EncodedChat {
  private final int[] ids;
  private final BitSet trainable;
  private final int removed;

  EncodedChat(int[] ids, BitSet trainable, int removed) {
    this.ids = ids;
    this.trainable = trainable;
    this.removed = removed;
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

  /** How many characters of turns that are learned the template has left out. */
  public int removedCharacters() {
    return removed;
  }
}
