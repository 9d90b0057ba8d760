package dev.duoka.data.source;

import java.util.Map;
import java.util.stream.Collectors;

/** Why a document was left out. */
public enum SkipReason {
  /** The bytes are not UTF-8. */
  BAD_UTF8("not valid UTF-8"),
  /** The line or record is not JSON. */
  BAD_JSON("not valid JSON"),
  /** The record lacks the text field, or it holds something other than text. */
  NO_TEXT_FIELD("without a text field"),
  /** The record was read, and is nothing to train on: a chat without an answer, for example. */
  UNUSABLE("with nothing to train on or in an unknown form"),
  /** The line is longer than can be held. */
  TOO_LONG("too long to be read"),
  /** A file of rows breaks off in the middle. */
  DAMAGED("the rest of a damaged file"),
  /** No message of the chat is the assistant's. */
  NO_ANSWER("chats without an answer"),
  /** Two turns of one side follow each other, or a tool answers nobody. */
  ROLE_ORDER("with roles out of order"),
  /** A person or the assistant says nothing. */
  EMPTY_TURN("with an empty turn"),
  /** A turn is longer than is allowed. */
  LONG_TURN("with a turn that is too long"),
  /** A turn holds markers that a chat template writes, its own or another's. */
  MARKERS("with markers of a chat template in a turn"),
  /** Both answers of a pair are the same, so that none can be preferred. */
  SAME_ANSWER("pairs of the same answer twice"),
  /** A file found in a folder or archive is binary (a NUL byte among its first 8,000 bytes). */
  BINARY("binary files"),
  /** There is no text in it, so it gives no tokens. */
  EMPTY("empty"),
  /** A file of a folder that is a page beside the data, or of a split that is not for training. */
  NOT_FOR_TRAINING("files of other splits or about the data"),
  /** The name of an archive's entry leads out of the archive. */
  OUTSIDE("archive entries whose names lead outside");

  private final String label;

  SkipReason(String label) {
    this.label = label;
  }

  /** In words, for a count: "3 empty". */
  public String label() {
    return label;
  }

  /** For example {@code 3 empty, 1 not valid UTF-8}; an empty string when nothing was left out. */
  public static String describe(Map<SkipReason, Long> counts) {
    return counts.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .map(entry -> entry.getValue() + " " + entry.getKey().label())
        .collect(Collectors.joining(", "));
  }
}
