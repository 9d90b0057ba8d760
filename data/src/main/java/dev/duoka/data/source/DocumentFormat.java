package dev.duoka.data.source;

/** How the files of a source hold documents. */
public enum DocumentFormat {
  /**
   * By extension, after {@code .gz} or {@code .zst} is taken off: {@code .jsonl}, {@code .ndjson},
   * {@code .json}, {@code .parquet}; anything else is text.
   */
  AUTO,
  /** One file is one document. */
  TEXT,
  /** One line is one JSON object. */
  JSONL,
  /** One array of JSON objects, or JSON objects one after another. */
  JSON,
  /** One row is one document. */
  PARQUET
}
