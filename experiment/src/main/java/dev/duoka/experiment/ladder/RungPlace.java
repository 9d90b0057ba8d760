package dev.duoka.experiment.ladder;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * Where a rung's ranks were.
 *
 * @param devices of the ranks, in their order, for example {@code cuda:0}
 * @param cards the identities of their cards as nvidia-smi prints them; empty on the CPU, or where
 *     they are not known
 * @param link the slowest link that ranks exchange over, for example {@code NV18}; empty for one
 *     rank
 * @param linkRate what it should carry each way, GB/s; NaN where that is not known
 */
record RungPlace(List<String> devices, List<String> cards, String link, double linkRate) {
  /** The file of a run that says it. */
  static final String FILE = "placement.json";

  RungPlace {
    devices = List.copyOf(devices);
    cards = List.copyOf(cards);
  }

  /** Reads it from a run's folder. */
  static RungPlace read(Path run) {
    JsonNode json = Json.parse(run.resolve(FILE), ErrorCode.FORMAT);
    List<String> devices = new ArrayList<>();
    List<String> cards = new ArrayList<>();
    for (JsonNode seat : json.path("seats")) {
      devices.add(seat.path("device").asString(""));
      if (seat.has("uuid")) {
        cards.add(seat.path("uuid").asString());
      }
    }
    String link = "";
    double rate = Double.NaN;
    for (JsonNode group : json.path("groups")) {
      double low = group.path("gb_per_s_each_way").path("low").asDouble(Double.NaN);
      if (link.isEmpty() || low < rate) {
        link = group.path("slowest_link").asString("");
        rate = low;
      }
    }
    return new RungPlace(devices, cards, link, rate);
  }

  /** Whether the ranks compute on GPUs. */
  boolean isOnCards() {
    return devices.stream().anyMatch(device -> device.startsWith("cuda"));
  }

  /** Whether a card of that identity is one of its own. */
  boolean has(String uuid) {
    return cards.contains(uuid);
  }

  /** Whether some of them are on the same GPU. */
  boolean sharesCards() {
    return isOnCards() && new HashSet<>(devices).size() < devices.size();
  }

  /** As an option {@code --device} says it, one for each rank. */
  String deviceOption() {
    return isOnCards()
        ? "cuda:" + String.join(",", devices.stream().map(it -> it.replace("cuda:", "")).toList())
        : "cpu";
  }
}
