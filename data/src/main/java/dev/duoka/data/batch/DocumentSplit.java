package dev.duoka.data.batch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;

/**
 * Puts each document into the training or the validation part: a pure function of the seed and the
 * document's id, so that no document changes sides when others come or go.
 *
 * @param seed of the split alone; a run that changes its other seeds keeps its validation set
 * @param validationFraction expected share of documents held out, from 0 to below 1
 */
public record DocumentSplit(long seed, double validationFraction) {
  /** Everything is for training. */
  public static final DocumentSplit NONE = new DocumentSplit(0, 0);

  /** Refuses a fraction that leaves nothing to train on. */
  public DocumentSplit {
    if (!(validationFraction >= 0 && validationFraction < 1)) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "a validation fraction of " + validationFraction + " cannot be",
          "Choose 0 or more and less than 1, for example 0.01.");
    }
  }

  /** The part of a document with this hash of its id. */
  public SplitPart partOf(long documentHash) {
    long mixed = SplitMix64.mix(documentHash ^ SplitMix64.mix(seed));
    double uniform = (mixed >>> 11) * 0x1.0p-53;
    return uniform < validationFraction ? SplitPart.VALIDATION : SplitPart.TRAIN;
  }
}
