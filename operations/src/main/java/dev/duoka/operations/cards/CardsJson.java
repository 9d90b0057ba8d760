package dev.duoka.operations.cards;

import dev.duoka.formats.json.Json;
import dev.duoka.machine.probe.CardActivity;
import dev.duoka.machine.probe.CardLoad;
import dev.duoka.machine.probe.LinkRate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The cards of this machine as JSON, for the page that asks for them and between processes. */
public final class CardsJson {
  private CardsJson() {}

  /** What is known of cards. */
  public static ObjectNode of(List<CardWatch.Seen> seen) {
    ObjectNode json = Json.object();
    ArrayNode cards = json.putArray("cards");
    for (CardWatch.Seen card : seen) {
      ObjectNode one = cards.addObject();
      CardLoad load = card.load();
      one.put("index", card.index());
      card.uuid().ifPresent(value -> one.put("uuid", value));
      one.put("stale", card.stale());
      load.utilisation().ifPresent(value -> one.put("utilisation", value));
      load.memoryBytes().ifPresent(value -> one.put("memory_bytes", value));
      load.watts().ifPresent(value -> one.put("watts", value));
      load.celsius().ifPresent(value -> one.put("celsius", value));
      load.smMegahertz().ifPresent(value -> one.put("sm_mhz", value));
      load.nvLink().ifPresent(value -> put(one.putObject("nvlink"), value));
      load.pcie().ifPresent(value -> put(one.putObject("pcie"), value));
      load.activity().multiprocessors().ifPresent(value -> one.put("sm_active", value));
      load.activity().tensorCores().ifPresent(value -> one.put("tensor_active", value));
      load.activity().memory().ifPresent(value -> one.put("dram_active", value));
    }
    return json;
  }

  /** The opposite of {@link #of}. */
  static List<CardWatch.Seen> read(JsonNode json) {
    List<CardWatch.Seen> seen = new ArrayList<>();
    for (JsonNode one : json.path("cards")) {
      seen.add(
          new CardWatch.Seen(
              one.path("index").asInt(0),
              Optional.ofNullable(one.path("uuid").asString(null)),
              new CardLoad(
                  number(one, "utilisation").map(Double::intValue),
                  number(one, "memory_bytes").map(Double::longValue),
                  number(one, "watts"),
                  number(one, "celsius").map(Double::intValue),
                  number(one, "sm_mhz").map(Double::intValue),
                  rate(one.path("nvlink")),
                  rate(one.path("pcie")),
                  new CardActivity(
                      number(one, "sm_active"),
                      number(one, "tensor_active"),
                      number(one, "dram_active"))),
              one.path("stale").asBoolean(false)));
    }
    return seen;
  }

  private static void put(ObjectNode json, LinkRate rate) {
    json.put("sent", rate.sent());
    json.put("received", rate.received());
  }

  private static Optional<LinkRate> rate(JsonNode json) {
    return number(json, "sent")
        .flatMap(sent -> number(json, "received").map(received -> new LinkRate(sent, received)));
  }

  private static Optional<Double> number(JsonNode of, String name) {
    JsonNode value = of.path(name);
    return value.isNumber() ? Optional.of(value.asDouble()) : Optional.empty();
  }
}
