package dev.duoka.planner.catalogue;

import dev.duoka.base.NearestName;
import dev.duoka.formats.json.JsonFields;
import dev.duoka.planner.figure.Basis;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

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
            "tdp_watts",
            "sms",
            "buy",
            "rent",
            "source",
            "uncertain"));
    JsonFields pcie = object(card, "pcie");
    known(pcie, List.of("generation", "each_way_gbs"));
    return new Card(
        text(card, "name"),
        card.texts("aliases"),
        text(card, "compute_capability"),
        positive(card, "memory_gib"),
        positive(card, "memory_gbs"),
        peaks(object(card, "peak_tflops")),
        achievable(object(card, "achievable")),
        card.object("nvlink").map(CardReader::nvlink).orElse(new NvLink(NvLink.Kind.NONE, 0)),
        pcie.integer("generation"),
        positive(pcie, "each_way_gbs"),
        card.flag("p2p_over_pcie", false),
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

  private static Map<Precision, Double> peaks(JsonFields peaks) {
    known(peaks, List.of("fp32", "tf32", "bf16", "fp16", "fp8"));
    Map<Precision, Double> map = new EnumMap<>(Precision.class);
    for (Precision precision : Precision.values()) {
      if (peaks.node(precision.toString()).isPresent()) {
        map.put(precision, positive(peaks, precision.toString()));
      }
    }
    if (!map.containsKey(Precision.FP16) || !map.containsKey(Precision.FP32)) {
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

  private static NvLink nvlink(JsonFields fields) {
    known(fields, List.of("kind", "each_way_gbs"));
    String kind = text(fields, "kind");
    return switch (kind) {
      case "nvswitch" -> new NvLink(NvLink.Kind.NVSWITCH, positive(fields, "each_way_gbs"));
      case "bridge" -> new NvLink(NvLink.Kind.BRIDGE, positive(fields, "each_way_gbs"));
      case "none" -> new NvLink(NvLink.Kind.NONE, 0);
      default ->
          throw fields.error(
              "nvlink kind '" + kind + "'",
              NearestName.hint(kind, List.of("nvswitch", "bridge", "none")));
    };
  }

  private static LinkKind link(JsonFields fields) {
    String name = text(fields, "link");
    List<String> names = new ArrayList<>();
    for (LinkKind kind : LinkKind.values()) {
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
