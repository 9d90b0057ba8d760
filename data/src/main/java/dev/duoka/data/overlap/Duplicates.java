package dev.duoka.data.overlap;

/** What becomes of a document that is the same, token for token, as one before it. */
public enum Duplicates {
  /** It is kept, on the side of the split where the first one is. */
  KEEP,
  /** It is left out. */
  DROP,
  /** The run ends with an error that counts them and names the first places. */
  REFUSE
}
