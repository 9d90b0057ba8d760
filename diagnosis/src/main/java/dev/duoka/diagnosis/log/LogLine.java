package dev.duoka.diagnosis.log;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A line of a log and where it is from, as far as its prefixes tell.
 *
 * @param text the line without escape codes
 * @param body the text behind the prefixes of launchers, schedulers and loggers
 * @param rank the global rank that printed it
 * @param localRank the rank within its host
 * @param host the host's name or address
 * @param time milliseconds since the start of the year, by the wall clock of its host
 */
public record LogLine(
    String text,
    String body,
    OptionalInt rank,
    OptionalInt localRank,
    Optional<String> host,
    OptionalLong time) {

  /** The line that these bytes are. */
  public static LogLine of(String text) {
    return new LinePrefixes(text).parse();
  }
}
