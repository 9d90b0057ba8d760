package dev.duoka.data.source;

/**
 * One training document.
 *
 * @param id stable name, relative to its source: {@code java/util/List.java}, {@code a.jsonl#17}
 * @param text its text or, from a source of whole records, the record as JSON
 */
public record Document(String id, String text) {}
