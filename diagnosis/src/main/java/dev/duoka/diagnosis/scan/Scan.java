package dev.duoka.diagnosis.scan;

import java.util.List;

/**
 * Everything that was seen.
 *
 * @param sightings in the order of logs and lines
 */
public record Scan(List<ScannedLog> logs, List<Sighting> sightings) {
  /** The sum over the logs. */
  public long lines() {
    return logs.stream().mapToLong(ScannedLog::lines).sum();
  }

  /** The sum over the logs. */
  public long bytes() {
    return logs.stream().mapToLong(ScannedLog::bytes).sum();
  }
}
