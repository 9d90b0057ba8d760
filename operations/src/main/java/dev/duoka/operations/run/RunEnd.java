package dev.duoka.operations.run;

import dev.duoka.formats.json.Json;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/**
 * How a supervised run ended.
 *
 * @param status its exit status, one of {@link ExitStatus}
 * @param stopped whether it was told to end before its end, and is saved
 * @param reason for people
 */
public record RunEnd(int status, boolean stopped, String reason) {
  /** Writes it: from now on the run is over. */
  public void write(SupervisionFolder folder) {
    ObjectNode json = Json.object();
    json.put("status", status);
    json.put("stopped", stopped);
    json.put("reason", reason);
    json.put("time", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    SupervisionFolder.write(folder.end(), json);
  }

  /** How a run ended; empty while it goes on. */
  public static Optional<RunEnd> read(SupervisionFolder folder) {
    return SupervisionFolder.read(folder.end())
        .map(
            json ->
                new RunEnd(
                    json.path("status").asInt(1),
                    json.path("stopped").asBoolean(false),
                    json.path("reason").asString("")));
  }
}
