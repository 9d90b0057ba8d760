package dev.duoka.data.batch;

/** Which documents of a corpus. */
public enum SplitPart {
  /** Those to train on. */
  TRAIN,
  /** Those held out. */
  VALIDATION
}
