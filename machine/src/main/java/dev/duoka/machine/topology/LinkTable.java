package dev.duoka.machine.topology;

import dev.duoka.formats.json.JsonFields;
import dev.duoka.formats.yaml.YamlData;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/** The data of {@code link-bandwidths.yaml}. */
final class LinkTable {
  /** A generation of NVLink: the rate of one link each way. */
  record Nvlink(
      String name, double rate, int mostLinks, Set<Integer> counts, List<String> capabilities) {}

  /** What a PCIe path keeps of a link's rate; {@code most} in GB/s. */
  record Path(double low, double high, double most, boolean measured) {}

  /** What a product's name tells. */
  record Card(Pattern match, String computeCapability, int pcie) {}

  private static final class Loaded {
    static final LinkTable TABLE =
        new LinkTable(YamlData.resource(LinkTable.class, "link-bandwidths.yaml"));
  }

  private final List<Nvlink> nvlinks;
  private final Map<Integer, Double> laneRates = new HashMap<>();
  private final Map<LinkKind, Path> paths = new EnumMap<>(LinkKind.class);
  private final List<Card> cards;

  private final Pattern withoutPeerAccess;
  private final Path throughHost;

  private LinkTable(JsonFields file) {
    JsonFields host = file.object("through_host").orElseThrow();
    withoutPeerAccess = Pattern.compile(host.text("match").orElseThrow());
    throughHost = new Path(host.number("low"), host.number("high"), Double.MAX_VALUE, false);
    nvlinks =
        file.objects("nvlink").stream()
            .map(
                entry ->
                    new Nvlink(
                        entry.text("name").orElseThrow(),
                        entry.number("gigabytes_per_second"),
                        entry.integer("most_links"),
                        numbers(entry.node("counts").orElseThrow()),
                        entry.texts("compute_capabilities")))
            .toList();
    for (JsonFields entry : file.objects("pcie")) {
      laneRates.put(entry.integer("generation"), entry.number("gigabytes_per_second_per_lane"));
    }
    for (JsonFields entry : file.objects("paths")) {
      Path path =
          new Path(
              entry.number("low"),
              entry.number("high"),
              entry.number("most_gigabytes_per_second", Double.MAX_VALUE),
              entry.flag("measured", false));
      entry.texts("kinds").forEach(kind -> paths.put(LinkKind.valueOf(kind), path));
    }
    cards =
        file.objects("cards").stream()
            .map(
                entry ->
                    new Card(
                        Pattern.compile(entry.text("match").orElseThrow()),
                        entry.text("compute_capability").orElseThrow(),
                        entry.integer("pcie")))
            .toList();
  }

  static LinkTable get() {
    return Loaded.TABLE;
  }

  List<Nvlink> nvlinks() {
    return nvlinks;
  }

  /** GB/s each way of a PCIe link; empty for a generation that does not exist. */
  Optional<Double> rate(PcieSpeed speed) {
    return Optional.ofNullable(laneRates.get(speed.generation())).map(rate -> rate * speed.width());
  }

  Optional<Path> path(LinkKind kind) {
    return Optional.ofNullable(paths.get(kind));
  }

  /** Copies of two cards of which one has no peer access. */
  Path throughHost() {
    return throughHost;
  }

  /** Whether a product has peer access; one that is not known has. */
  boolean hasPeerAccess(Optional<String> product) {
    return product.map(name -> !withoutPeerAccess.matcher(name).find()).orElse(true);
  }

  Optional<Card> card(String product) {
    return cards.stream().filter(card -> card.match().matcher(product).find()).findFirst();
  }

  private static Set<Integer> numbers(JsonNode list) {
    Set<Integer> numbers = new HashSet<>();
    list.forEach(entry -> numbers.add(entry.intValue()));
    return numbers;
  }
}
