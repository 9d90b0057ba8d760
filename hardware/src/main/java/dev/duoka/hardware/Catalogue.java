package dev.duoka.hardware;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.json.JsonFields;
import dev.duoka.formats.yaml.YamlData;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** All cards, the measured rates of collectives between them, and estimates of hosts. */
public final class Catalogue {
  private static final Catalogue BUILT_IN = read(List.of(HardwareFile.content()));

  private final String asOf;
  private final List<Card> cards;
  private final List<CollectiveRate> rates;
  private final Map<Boolean, Host> hosts;
  private final CardNames names;

  private Catalogue(
      String asOf, List<Card> cards, List<CollectiveRate> rates, Map<Boolean, Host> hosts) {
    this.asOf = asOf;
    this.cards = List.copyOf(cards);
    this.rates = List.copyOf(rates);
    this.hosts = Map.copyOf(hosts);
    this.names = new CardNames(cards);
  }

  /** What comes with the program. */
  public static Catalogue builtIn() {
    return BUILT_IN;
  }

  /**
   * What comes with the program, overlaid by a user's YAML file of the same form: a card with a
   * known name replaces the fields that the entry names, any other is a new card; collectives of
   * the file come before the built-in ones.
   */
  public static Catalogue overlaidBy(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "the catalogue " + file + (Files.exists(file) ? " is no file" : " does not exist"),
          "Check the path.");
    }
    try {
      return overlaidBy(YamlData.parse(Files.readString(file), file.toString()));
    } catch (CharacterCodingException e) {
      throw new DuokaException(
          ErrorCode.CONFIG, file + " is not UTF-8 text", "A catalogue is a YAML file.", e);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.USAGE, file + " cannot be read", "Check that you may read it.", e);
    }
  }

  /** As {@link #overlaidBy(Path)}, from fields that are read already. */
  public static Catalogue overlaidBy(JsonFields overlay) {
    for (String name : overlay.names()) {
      if (!List.of("as_of", "cards", "collectives", "hosts").contains(name)) {
        throw overlay.error(
            "unknown field '" + name + "'", "A catalogue has as_of, cards, collectives, hosts.");
      }
    }
    return read(List.of(HardwareFile.content(), overlay));
  }

  /** The day the prices are of. */
  public String asOf() {
    return asOf;
  }

  /** All cards, in the catalogue's order. */
  public List<Card> cards() {
    return cards;
  }

  /** All measured and estimated rates of collectives. */
  public List<CollectiveRate> rates() {
    return rates;
  }

  /** The card of that name, which may be written in many ways. */
  public Card card(String name) {
    return names.find(name);
  }

  /** The card that a driver calls so; empty where none fits. */
  public Optional<Card> cardOfDevice(String deviceName) {
    return names.lookUp(deviceName);
  }

  /** What a device's name tells: by its card, else by its product line. */
  public Optional<DeviceTraits> traitsOfDevice(String deviceName) {
    return cardOfDevice(deviceName).map(Card::traits).or(() -> ProductLines.find(deviceName));
  }

  /** A machine by a name such as {@code 8xA100-80G-SXM}. */
  public Machine machine(String name) {
    return MachineNames.parse(name, this);
  }

  /** So many of these cards, connected as such cards usually are. */
  public Machine machine(Card card, int gpus) {
    Interconnect bus = card.p2pOverPcie() ? Interconnect.PCIE_P2P : Interconnect.PCIE_HOST;
    Interconnect link = card.nvlink().kind() == NvLink.Kind.NVSWITCH ? Interconnect.NVLINK : bus;
    return machine(card, gpus, link, gpus, link, 1);
  }

  /** So many of these cards with the links that were found. */
  public Machine machine(
      Card card, int gpus, Interconnect link, int domain, Interconnect outer, double linkShare) {
    Host perCard = hosts.getOrDefault(card.nvlink().kind() == NvLink.Kind.NVSWITCH, NO_HOST);
    Host host =
        new Host(perCard.memoryGib() * gpus, perCard.memoryGbs(), perCard.watts(), perCard.basis());
    return new Machine(gpus + "x" + card.name(), card, gpus, link, domain, outer, linkShare, host);
  }

  private static final Host NO_HOST = new Host(64, 100, 300, Basis.ASSUMED);

  private static Catalogue read(List<JsonFields> files) {
    Map<String, ObjectNode> cards = new LinkedHashMap<>();
    List<CollectiveRate> rates = new ArrayList<>();
    Map<Boolean, Host> hosts = new LinkedHashMap<>();
    String asOf = "";
    for (JsonFields file : files) {
      asOf = file.text("as_of").orElse(asOf);
      overlay(cards, file);
      List<CollectiveRate> own = new ArrayList<>();
      file.objects("collectives").forEach(rate -> own.add(CardReader.rate(rate)));
      rates.addAll(0, own);
      for (JsonFields host : file.objects("hosts")) {
        hosts.put(
            CardReader.text(host, "link").equals("nvlink"),
            new Host(
                CardReader.positive(host, "memory_gib_per_gpu"),
                CardReader.positive(host, "memory_gbs"),
                CardReader.positive(host, "watts"),
                CardReader.basis(host, Basis.ASSUMED)));
      }
    }
    String source = files.getLast().source();
    List<Card> all =
        cards.values().stream()
            .map(node -> CardReader.card(JsonFields.of(node, source, ErrorCode.CONFIG)))
            .toList();
    return new Catalogue(asOf, all, rates, hosts);
  }

  private static void overlay(Map<String, ObjectNode> cards, JsonFields file) {
    for (JsonFields entry : file.objects("cards")) {
      String name = CardReader.text(entry, "name");
      ObjectNode card = cards.computeIfAbsent(name, _ -> Json.object());
      for (String field : entry.names()) {
        JsonNode value = entry.node(field).orElse(null);
        if (value == null) {
          card.remove(field);
        } else if (value.isObject() && card.get(field) instanceof ObjectNode before) {
          before.setAll((ObjectNode) value);
        } else {
          card.set(field, value.deepCopy());
        }
      }
    }
  }
}
