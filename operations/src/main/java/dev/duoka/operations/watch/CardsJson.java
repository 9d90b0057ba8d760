package dev.duoka.operations.watch;

import dev.duoka.formats.json.Json;
import dev.duoka.machine.probe.CardLoad;
import dev.duoka.machine.probe.LinkRate;
import dev.duoka.operations.cards.CardWatch;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The cards of this machine as the page asks for them. */
final class CardsJson {
  private CardsJson() {}

  static ObjectNode of(List<CardWatch.Seen> seen) {
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

  private static void put(ObjectNode json, LinkRate rate) {
    json.put("sent", rate.sent());
    json.put("received", rate.received());
  }
}
