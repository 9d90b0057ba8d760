package dev.duoka.data.batch;

import java.util.BitSet;

/**
 * Where the second chat of a pair begins, in a document that holds both one behind the other. Each
 * chat ends with a token that is learned, and both begin with the same question: of the places
 * behind a learned stretch it is the one from which on most tokens are those of the document's
 * beginning. Where each chat has one learned stretch there is one such place.
 */
public final class PairBoundary {
  private PairBoundary() {}

  /**
   * Finds it.
   *
   * @param tokens of both chats
   * @param learned which of them are learned; the last one is
   * @return the first token of the second chat; as many as there are where there is none
   */
  public static int of(int[] tokens, BitSet learned) {
    int best = tokens.length;
    int most = -1;
    int end = stretchEnd(learned, 0);
    while (end < tokens.length) {
      int same = sameAsBeginning(tokens, end);
      if (same > most) {
        most = same;
        best = end;
      }
      end = stretchEnd(learned, end);
    }
    return best;
  }

  private static int stretchEnd(BitSet learned, int from) {
    int start = learned.nextSetBit(from);
    return start < 0 ? Integer.MAX_VALUE : learned.nextClearBit(start);
  }

  private static int sameAsBeginning(int[] tokens, int from) {
    int same = 0;
    while (from + same < tokens.length && tokens[same] == tokens[from + same]) {
      same++;
    }
    return same;
  }
}
