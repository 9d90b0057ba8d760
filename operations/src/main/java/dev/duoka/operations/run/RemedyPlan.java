package dev.duoka.operations.run;

import dev.duoka.formats.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What the supervisor of a run may change when a plain restart does not help.
 *
 * @param memory what to override when memory runs out, one after the other
 * @param asked what to override beside that when memory runs out outside of steps and a worker says
 *     that it helps; never by itself
 * @param watchesDivergence whether a run that diverges is noticed
 * @param divergence what to override beside the batches that are left out, each time that it goes
 *     back; empty for a run that then ends
 * @param fewerCards how it goes on when cards are lost, the most cards first; empty for a run that
 *     then ends
 */
public record RemedyPlan(
    List<List<String>> memory,
    List<List<String>> asked,
    boolean watchesDivergence,
    List<List<String>> divergence,
    List<FewerCards> fewerCards) {
  /** Changes nothing. */
  public static final RemedyPlan NONE =
      new RemedyPlan(List.of(), List.of(), false, List.of(), List.of());

  public RemedyPlan {
    memory = memory.stream().map(List::copyOf).toList();
    asked = asked.stream().map(List::copyOf).toList();
    divergence = divergence.stream().map(List::copyOf).toList();
    fewerCards = List.copyOf(fewerCards);
  }

  /** All that may be overridden when memory runs out; those of {@link #memory} come first. */
  public List<List<String>> allOfMemory() {
    return Stream.concat(memory.stream(), asked.stream()).toList();
  }

  ObjectNode json() {
    ObjectNode json = Json.object();
    put(json.putArray("memory"), memory);
    put(json.putArray("memory_asked"), asked);
    json.put("watches_divergence", watchesDivergence);
    put(json.putArray("divergence"), divergence);
    ArrayNode fewer = json.putArray("fewer_cards");
    fewerCards.forEach(way -> fewer.add(way.json()));
    return json;
  }

  static RemedyPlan of(JsonNode json) {
    List<FewerCards> fewer = new ArrayList<>();
    json.path("fewer_cards").forEach(way -> fewer.add(FewerCards.of(way)));
    return new RemedyPlan(
        ways(json.path("memory")),
        ways(json.path("memory_asked")),
        json.path("watches_divergence").asBoolean(false),
        ways(json.path("divergence")),
        fewer);
  }

  private static void put(ArrayNode array, List<List<String>> ways) {
    ways.forEach(
        way -> {
          ArrayNode one = array.addArray();
          way.forEach(one::add);
        });
  }

  private static List<List<String>> ways(JsonNode array) {
    List<List<String>> ways = new ArrayList<>();
    array.forEach(
        way -> {
          List<String> words = new ArrayList<>();
          way.forEach(word -> words.add(word.asString("")));
          ways.add(words);
        });
    return ways;
  }
}
