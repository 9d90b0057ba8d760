package dev.duoka.operations.watch;

import dev.duoka.formats.json.Json;
import dev.duoka.formats.prediction.PredictionFile;
import dev.duoka.operations.run.RunRecord;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/**
 * What is known of a run besides its metrics; all text can be shown as it is.
 *
 * @param name of its folder
 * @param state for example {@code running}; {@code unknown} where it cannot be read
 * @param attempt how often it was started; 0 without a supervisor
 * @param totalSteps of the whole run; 0 where it is not known
 * @param reason how it ended; empty while it goes on
 * @param record the last that its supervisor has seen and done
 * @param log its last lines
 * @param answers what its model wrote at the newest validations
 * @param prediction what was said of it before it began
 * @param checkpoints steps of those that are on disk
 * @param placement where its ranks are, as the run has written it; an empty object where it has not
 * @param notes what people have written in {@code notes.md} of its folder
 * @param tags that they name there
 * @param problems what of it cannot be read, and why
 */
record RunView(
    String name,
    String state,
    int attempt,
    long totalSteps,
    String reason,
    List<RunRecord.Entry> record,
    String log,
    List<RunAnswer> answers,
    Optional<PredictionFile> prediction,
    List<Long> checkpoints,
    ObjectNode placement,
    String notes,
    List<String> tags,
    List<String> problems) {
  /** One about which nothing is known. */
  static RunView nothing(String name) {
    return new RunView(
        name,
        "unknown",
        0,
        0,
        "",
        List.of(),
        "",
        List.of(),
        Optional.empty(),
        List.of(),
        Json.object(),
        "",
        List.of(),
        List.of());
  }
}
