package dev.duoka.data.source;

/** What happens with a document that is not valid UTF-8, not valid JSON or lacks its field. */
public enum BadDocuments {
  /** Stop with an error that names file and place. */
  REFUSE,
  /** Leave it out and count it. */
  SKIP
}
