package dev.duoka.operations.run;

import dev.duoka.formats.json.Json;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * How a run goes on with fewer cards.
 *
 * @param cards that it then uses
 * @param workers that hold its ranks then
 * @param ranks of all workers
 * @param overrides of the run file
 */
public record FewerCards(int cards, int workers, int ranks, List<String> overrides) {
  public FewerCards {
    overrides = List.copyOf(overrides);
  }

  ObjectNode json() {
    ObjectNode json = Json.object();
    json.put("cards", cards);
    json.put("workers", workers);
    json.put("ranks", ranks);
    overrides.forEach(json.putArray("overrides")::add);
    return json;
  }

  static FewerCards of(JsonNode json) {
    List<String> overrides = new ArrayList<>();
    json.path("overrides").forEach(word -> overrides.add(word.asString("")));
    return new FewerCards(
        json.path("cards").asInt(0),
        json.path("workers").asInt(1),
        json.path("ranks").asInt(1),
        overrides);
  }
}
