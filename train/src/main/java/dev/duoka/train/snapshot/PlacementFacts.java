package dev.duoka.train.snapshot;

import dev.duoka.formats.json.Json;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Where each rank is and by what they exchange, of what {@code placement.json} says: without links
 * and explanations.
 */
final class PlacementFacts {
  /** By what ranks exchange. */
  private static final List<String> WAYS = List.of("collectives", "dispatcher");

  private PlacementFacts() {}

  static ObjectNode of(ObjectNode placement) {
    ObjectNode json = Json.object();
    json.put("processes", placement.path("processes").asInt(1));
    for (String way : WAYS) {
      if (placement.has(way)) {
        json.put(way, placement.path(way).asString(""));
      }
    }
    ObjectNode ranks = json.putObject("ranks");
    for (JsonNode seat : placement.path("seats")) {
      ObjectNode rank = ranks.putObject(String.valueOf(seat.path("rank").asInt(0)));
      String device = seat.path("device").asString("");
      rank.put("device_kind", device.startsWith("cuda") ? "cuda" : device);
      rank.put("device", device);
      if (seat.has("uuid")) {
        rank.put("uuid", seat.path("uuid").asString(""));
      }
      rank.put("process", seat.path("process").asInt(0));
      rank.put("node", seat.path("node").asInt(0));
    }
    return json;
  }
}
