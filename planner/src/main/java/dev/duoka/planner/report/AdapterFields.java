package dev.duoka.planner.report;

import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.formats.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** An adapter by the names that section {@code adapter} of a run file has for its fields. */
public final class AdapterFields {
  private AdapterFields() {}

  /**
   * All fields.
   *
   * @throws IllegalArgumentException where a run file has no words for which modules are meant
   */
  public static ObjectNode json(AdapterConfig adapter) {
    if (!adapter.layers().isEmpty()) {
      throw new IllegalArgumentException("a run file names no layers: " + adapter.layers());
    }
    ObjectNode json = Json.object();
    json.put("rank", adapter.rank());
    json.put("alpha", adapter.alpha());
    json.put("dropout", adapter.dropout());
    json.put("rslora", adapter.rootScaled());
    json.put("dora", adapter.magnitudes());
    if (adapter.modules() instanceof NamePatterns.Whole(String expression)) {
      json.put("modules_matching", expression);
    } else {
      texts(json, "modules", names(adapter.modules()));
    }
    texts(json, "exclude", names(adapter.excluded()));
    texts(json, "experts", adapter.parameters());
    texts(json, "train_whole", adapter.saved());
    ObjectNode ranks = json.putObject("rank_pattern");
    adapter.rankPattern().forEach(ranks::put);
    ObjectNode alphas = json.putObject("alpha_pattern");
    adapter.alphaPattern().forEach(alphas::put);
    json.put("base", adapter.baseForm().isInFourBits() ? "nf4" : "dense");
    json.put("double_quantization", adapter.baseForm() != BaseForm.NF4_SINGLE);
    return json;
  }

  private static List<String> names(NamePatterns patterns) {
    return switch (patterns) {
      case NamePatterns.AllLinear _ -> List.of(NamePatterns.ALL_LINEAR);
      case NamePatterns.Ends(List<String> ends) -> ends;
      case NamePatterns.Whole _, NamePatterns.Within _ ->
          throw new IllegalArgumentException("a run file has no list for " + patterns);
    };
  }

  private static void texts(ObjectNode json, String name, List<String> texts) {
    ArrayNode array = json.putArray(name);
    texts.forEach(array::add);
  }

  /** The section of a run file: the rank, and what is not as it is without its field. */
  static String yaml(AdapterConfig adapter) {
    ObjectNode usual = json(AdapterConfig.USUAL);
    usual.put("alpha", AdapterConfig.usualAlpha(adapter.rank()));
    StringBuilder text = new StringBuilder("adapter:\n  rank: " + adapter.rank() + "\n");
    for (Map.Entry<String, JsonNode> field : json(adapter).properties()) {
      if (!field.getKey().equals("rank") && !field.getValue().equals(usual.get(field.getKey()))) {
        // JSON is YAML, too.
        text.append("  ").append(field.getKey()).append(": ").append(field.getValue()).append('\n');
      }
    }
    return text.toString();
  }

  /** In words, for example {@code rank 16, alpha 32, on all linear layers}. */
  static String sentence(AdapterConfig adapter) {
    List<String> parts = new ArrayList<>();
    parts.add("rank " + adapter.rank());
    parts.add((adapter.rootScaled() ? "rsLoRA, alpha " : "alpha ") + number(adapter.alpha()));
    parts.add("on " + where(adapter));
    if (!names(adapter.excluded()).isEmpty()) {
      parts.add("not on " + String.join(" and ", names(adapter.excluded())));
    }
    if (!adapter.rankPattern().isEmpty()) {
      parts.add("other ranks by " + adapter.rankPattern());
    }
    if (!adapter.alphaPattern().isEmpty()) {
      parts.add("other alphas by " + adapter.alphaPattern());
    }
    if (adapter.magnitudes()) {
      parts.add("DoRA");
    }
    if (adapter.dropout() > 0) {
      parts.add("dropout " + number(adapter.dropout()));
    }
    parts.add(
        adapter.saved().isEmpty()
            ? "nothing else trained"
            : String.join(" and ", adapter.saved()) + " trained whole");
    parts.add(
        switch (adapter.baseForm()) {
          case DENSE -> "beside a dense base";
          case NF4 -> "beside a base in NF4, its scales in 8 bits";
          case NF4_SINGLE -> "beside a base in NF4, its scales in fp32";
        });
    return String.join(", ", parts);
  }

  private static String where(AdapterConfig adapter) {
    List<String> places = new ArrayList<>();
    switch (adapter.modules()) {
      case NamePatterns.AllLinear _ -> places.add("all linear layers");
      case NamePatterns.Ends(List<String> ends) -> places.addAll(ends);
      case NamePatterns.Whole(String expression) -> places.add("what " + expression + " matches");
      case NamePatterns.Within within -> places.add(within.toString());
    }
    adapter.parameters().forEach(name -> places.add("each expert's " + name));
    return String.join(" and ", places);
  }

  private static String number(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }
}
