package dev.duoka.operations.run;

import dev.duoka.formats.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Which remedies of a {@link RemedyPlan} a run uses; another supervisor goes on with them.
 *
 * @param memory how many of those for too little memory were tried; the last one counts
 * @param wentBack how often the run went back after it had diverged
 * @param leftOut the batches that are left out since, as {@code data.leave_out} has them
 * @param lostCards by their names in the launch
 */
public record RemedyState(int memory, int wentBack, List<String> leftOut, List<String> lostCards) {
  /** None is in use. */
  public static final RemedyState NONE = new RemedyState(0, 0, List.of(), List.of());

  public RemedyState {
    leftOut = List.copyOf(leftOut);
    lostCards = List.copyOf(lostCards);
  }

  /** Writes it into the run's folder. */
  public void write(SupervisionFolder folder) {
    ObjectNode json = Json.object();
    json.put("memory", memory);
    json.put("went_back", wentBack);
    leftOut.forEach(json.putArray("left_out")::add);
    lostCards.forEach(json.putArray("lost_cards")::add);
    SupervisionFolder.write(folder.remedies(), json);
  }

  /** What was written; nothing in use where that is nothing. */
  public static RemedyState read(SupervisionFolder folder) {
    Optional<JsonNode> found = SupervisionFolder.read(folder.remedies());
    return found
        .map(
            json ->
                new RemedyState(
                    json.path("memory").asInt(0),
                    json.path("went_back").asInt(0),
                    words(json.path("left_out")),
                    words(json.path("lost_cards"))))
        .orElse(NONE);
  }

  private static List<String> words(JsonNode array) {
    List<String> words = new ArrayList<>();
    array.forEach(word -> words.add(word.asString("")));
    return words;
  }
}
