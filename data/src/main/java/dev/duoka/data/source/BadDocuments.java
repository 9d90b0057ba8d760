package dev.duoka.data.source;

/** What happens with a document that cannot be read, or is not fit to be trained on. */
public enum BadDocuments {
  /** Read on to the end, then stop with one error that counts them and names the first places. */
  REFUSE,
  /** Leave it out and count it. */
  SKIP,
  /** Keep the good beginning of a chat; leave out what has none. */
  CUT
}
