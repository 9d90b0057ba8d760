package dev.duoka.data.source;

/** What of a JSON or Parquet record becomes the document's text. */
public sealed interface RecordContent {
  /** One field or column that holds the text. */
  record Field(String name) implements RecordContent {}

  /** The record itself as JSON, for encoders that read several of its fields (chat messages). */
  record WholeRecord() implements RecordContent {}
}
