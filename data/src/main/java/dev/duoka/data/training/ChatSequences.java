package dev.duoka.data.training;

import dev.duoka.base.Percent;
import dev.duoka.data.batch.DocumentSequences;
import dev.duoka.data.batch.DocumentSubset;
import dev.duoka.data.batch.SplitPart;
import dev.duoka.data.shard.TokenisationListener;

/** How chats become sequences, and what is worth a notice about it. */
final class ChatSequences {
  /** Padding beyond this share of all tokens is told. */
  private static final double WORTH_A_NOTICE = 0.2;

  private ChatSequences() {}

  /**
   * The sequences of a part of the corpus.
   *
   * @param apart whether chats of a sequence do not see each other
   * @param length of a sequence, the run file's {@code data.sequence_length}
   * @param pad the token behind a chat that ends before its sequence
   * @param listener hears of chats that are cut or left out
   */
  static DocumentSequences of(
      DocumentSubset subset,
      DocumentSequences.Packing packing,
      boolean apart,
      int length,
      int pad,
      TokenisationListener listener) {
    DocumentSequences chats = DocumentSequences.of(subset, length, pad, packing, apart);
    String part =
        switch (subset.part()) {
          case TRAIN -> "training";
          case VALIDATION -> "validation";
        };
    if (chats.cutDocuments() > 0) {
      listener.notice(
          ("%d %s chats are longer than data.sequence_length %d and lose a part; most keep their"
                  + " last answer and what fits before it")
              .formatted(chats.cutDocuments(), part, length));
    }
    if (chats.documentsWithoutTargets() > 0) {
      listener.notice(
          "%d %s chats are left out: they have no token to learn"
              .formatted(chats.documentsWithoutTargets(), part));
    }
    double padding = (double) chats.paddingTokens() / (chats.count() * chats.length());
    if (subset.part() == SplitPart.TRAIN && padding > WORTH_A_NOTICE) {
      listener.notice(
          Percent.whole(padding)
              + " of the tokens in a step are padding: chats are shorter than data.sequence_length "
              + length
              + (packing == DocumentSequences.Packing.ONE_EACH
                  ? "; data.pack_chats: true lets several share a sequence"
                  : "; a shorter one wastes less"));
    }
    return chats;
  }
}
