package dev.duoka.hardware;

import dev.duoka.base.NearestName;
import dev.duoka.formats.json.JsonFields;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Reads the entries of a catalogue and refuses what no machine can have. */
final class CardReader {
  private static final double MOST = 1e9;

  private CardReader() {}

  static Card card(JsonFields card) {
    known(
        card,
        List.of(
            "name",
            "aliases",
            "compute_capability",
            "memory_gib",
            "memory_gbs",
            "peak_tflops",
            "achievable",
            "nvlink",
            "pcie",
            "p2p_over_pcie",
            "most_in_machine",
            "tdp_watts",
            "sms",
            "buy",
            "rent",
            "source",
            "uncertain"));
    String capability = text(card, "compute_capability");
    NvLink nvlink =
        card.object("nvlink").map(fields -> nvlink(fields, capability)).orElse(NvLink.NONE);
    return new Card(
        text(card, "name"),
        card.texts("aliases"),
        capability,
        positive(card, "memory_gib"),
        positive(card, "memory_gbs"),
        peaks(object(card, "peak_tflops")),
        achievable(object(card, "achievable")),
        nvlink,
        pcie(object(card, "pcie")),
        card.flag("p2p_over_pcie", false),
        card.node("most_in_machine").isPresent()
            ? atLeastOne(card, "most_in_machine")
            : mostInMachine(nvlink, capability),
        positive(card, "tdp_watts"),
        card.integer("sms"),
        prices(card, "buy"),
        prices(card, "rent"),
        text(card, "source"),
        card.texts("uncertain"));
  }

  static CollectiveRate rate(JsonFields rate) {
    known(
        rate,
        List.of(
            "cards",
            "link",
            "gpus",
            "all_reduce",
            "all_gather",
            "reduce_scatter",
            "all_to_all",
            "basis",
            "source"));
    int gpus = rate.integer("gpus");
    if (gpus < 2 || gpus > 1024) {
      throw rate.error("gpus " + gpus + " in collectives", "Give 2 to 1024.");
    }
    return new CollectiveRate(
        rate.texts("cards"),
        link(rate),
        gpus,
        positive(rate, "all_reduce"),
        notNegative(rate, "all_gather"),
        notNegative(rate, "reduce_scatter"),
        notNegative(rate, "all_to_all"),
        basis(rate, Basis.MEASURED),
        text(rate, "source"));
  }

  static Basis basis(JsonFields fields, Basis absent) {
    String name = fields.text("basis").orElse(absent.toString());
    for (Basis basis : Basis.values()) {
      if (basis.toString().equals(name)) {
        return basis;
      }
    }
    throw fields.error(
        "basis '" + name + "'", NearestName.hint(name, List.of("exact", "measured", "assumed")));
  }

  static double positive(JsonFields fields, String name) {
    double value = fields.number(name);
    if (!(value > 0) || value > MOST) {
      throw fields.error(name + " is " + value, "It must be above 0 and below 1e9.");
    }
    return value;
  }

  static String text(JsonFields fields, String name) {
    return fields
        .text(name)
        .filter(text -> !text.isBlank())
        .orElseThrow(() -> fields.error("an entry has no '" + name + "'", "Add it."));
  }

  private static double notNegative(JsonFields fields, String name) {
    return fields.node(name).isPresent() ? positive(fields, name) : 0;
  }

  private static JsonFields object(JsonFields fields, String name) {
    return fields
        .object(name)
        .orElseThrow(() -> fields.error("an entry has no '" + name + "'", "Add it."));
  }

  private static void known(JsonFields fields, List<String> names) {
    for (String name : fields.names()) {
      if (!names.contains(name)) {
        throw fields.error("unknown field '" + name + "'", NearestName.hint(name, names));
      }
    }
  }

  private static Map<NumberFormat, Double> peaks(JsonFields peaks) {
    known(peaks, List.of("fp32", "tf32", "bf16", "fp16", "fp8"));
    Map<NumberFormat, Double> map = new EnumMap<>(NumberFormat.class);
    for (NumberFormat precision : NumberFormat.values()) {
      if (peaks.node(precision.toString()).isPresent()) {
        map.put(precision, positive(peaks, precision.toString()));
      }
    }
    if (!map.containsKey(NumberFormat.FP16) || !map.containsKey(NumberFormat.FP32)) {
      throw peaks.error("peak_tflops lacks fp16 or fp32", "Every card has both; add them.");
    }
    return map;
  }

  private static Achievable achievable(JsonFields fields) {
    known(
        fields,
        List.of(
            "gemm",
            "grouped",
            "attention_forward",
            "attention_backward",
            "memory",
            "training",
            "basis",
            "source"));
    return new Achievable(
        fraction(fields, "gemm"),
        fraction(fields, "grouped"),
        fraction(fields, "attention_forward"),
        fraction(fields, "attention_backward"),
        fraction(fields, "memory"),
        fields.node("training").isPresent() ? fraction(fields, "training") : 1,
        basis(fields, Basis.ASSUMED),
        fields.text("source").orElse(""));
  }

  private static double fraction(JsonFields fields, String name) {
    double value = fields.number(name);
    if (!(value > 0) || value > 1.1) {
      throw fields.error(name + " is " + value, "It is a fraction of a peak, above 0 and up to 1.");
    }
    return value;
  }

  private static NvLink nvlink(JsonFields fields, String capability) {
    known(fields, List.of("kind", "links", "each_way_gbs"));
    String kind = text(fields, "kind");
    return switch (kind) {
      case "nvswitch" -> links(fields, NvLink.Kind.NVSWITCH, capability);
      case "bridge" -> links(fields, NvLink.Kind.BRIDGE, capability);
      case "none" -> NvLink.NONE;
      default ->
          throw fields.error(
              "nvlink kind '" + kind + "'",
              NearestName.hint(kind, List.of("nvswitch", "bridge", "none")));
    };
  }

  /** The rate follows from the number of links and their generation, and the other way round. */
  private static NvLink links(JsonFields fields, NvLink.Kind kind, String capability) {
    Optional<Double> linkGbs =
        LinkTable.builtIn().generation(capability).map(NvlinkGeneration::linkGbs);
    if (fields.node("each_way_gbs").isPresent()) {
      double rate = positive(fields, "each_way_gbs");
      int links = (int) Math.round(linkGbs.map(link -> rate / link).orElse(0.0));
      return new NvLink(kind, links, rate);
    }
    int links = atLeastOne(fields, "links");
    double each =
        linkGbs.orElseThrow(
            () ->
                fields.error(
                    "links of compute capability " + capability + " have no known rate",
                    "Give each_way_gbs."));
    return new NvLink(kind, links, links * each);
  }

  private static Pcie pcie(JsonFields fields) {
    known(fields, List.of("generation", "lanes", "each_way_gbs"));
    int generation = fields.integer("generation");
    int lanes = fields.node("lanes").isPresent() ? atLeastOne(fields, "lanes") : 16;
    double rate =
        fields.node("each_way_gbs").isPresent()
            ? positive(fields, "each_way_gbs")
            : LinkTable.builtIn()
                .pcieGbs(generation, lanes)
                .orElseThrow(
                    () -> fields.error("PCIe generation " + generation, "Give each_way_gbs."));
    return new Pcie(generation, lanes, rate);
  }

  /**
   * How many one machine holds at most where the file does not say it: 8 on the boards with
   * NVSwitch, 16 V100 in a DGX-2, 16 in servers with PCIe switches.
   */
  private static int mostInMachine(NvLink nvlink, String capability) {
    boolean board = nvlink.kind() == NvLink.Kind.NVSWITCH && !capability.equals("7.0");
    return board ? 8 : 16;
  }

  private static int atLeastOne(JsonFields fields, String name) {
    int value = fields.integer(name);
    if (value < 1 || value > 1024) {
      throw fields.error(name + " is " + value, "Give 1 to 1024.");
    }
    return value;
  }

  private static Interconnect link(JsonFields fields) {
    String name = text(fields, "link");
    List<String> names = new ArrayList<>();
    for (Interconnect kind : Interconnect.values()) {
      if (kind.toString().equals(name.toLowerCase(Locale.ROOT))) {
        return kind;
      }
      names.add(kind.toString());
    }
    throw fields.error("link '" + name + "'", NearestName.hint(name, names));
  }

  private static List<Price> prices(JsonFields card, String name) {
    List<Price> prices = new ArrayList<>();
    for (JsonFields price : card.objects(name)) {
      known(price, List.of("usd", "date", "source", "used"));
      prices.add(
          new Price(
              positive(price, "usd"),
              text(price, "date"),
              text(price, "source"),
              price.flag("used", false)));
    }
    return prices;
  }
}
