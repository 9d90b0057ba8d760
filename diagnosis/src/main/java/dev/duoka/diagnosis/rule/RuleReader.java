package dev.duoka.diagnosis.rule;

import dev.duoka.base.NearestName;
import dev.duoka.formats.json.JsonFields;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/** Reads a rule from the fields of its YAML map. */
final class RuleReader {
  private static final Set<String> FIELDS =
      Set.of(
          "id",
          "component",
          "role",
          "confidence",
          "what",
          "why",
          "fix",
          "lines",
          "refines",
          "near",
          "where",
          "needs",
          "without",
          "explains",
          "undone_by",
          "decided_by",
          "sources",
          "example",
          "near_miss");

  private RuleReader() {}

  static Rule read(JsonFields fields) {
    String id = fields.text("id").orElseThrow(() -> fields.error("a rule has no id", "Name it."));
    for (String name : fields.names()) {
      if (!FIELDS.contains(name)) {
        throw fields.error(
            "rule " + id + " has a field '" + name + "'", NearestName.hint(name, FIELDS));
      }
    }
    return new Rule(
        id,
        choice(Component.class, fields, "component"),
        choice(Role.class, fields, "role"),
        fields.number("confidence", 0),
        text(fields, "what"),
        text(fields, "why"),
        text(fields, "fix"),
        patterns(fields),
        fields.text("refines"),
        fields.object("near").map(RuleReader::near),
        fields.texts("where").stream().map(Comparison::of).toList(),
        fields.texts("needs"),
        fields.texts("without"),
        fields.texts("explains"),
        fields.texts("undone_by"),
        fields.text("decided_by"),
        fields.texts("sources"),
        fields.text("example").orElse(""),
        fields.text("near_miss").orElse(""));
  }

  private static String text(JsonFields fields, String name) {
    return fields.text(name).orElse("").strip();
  }

  private static <E extends Enum<E>> E choice(Class<E> type, JsonFields fields, String name) {
    String value = fields.text(name).orElse("context");
    return Arrays.stream(type.getEnumConstants())
        .filter(constant -> constant.name().toLowerCase(Locale.ROOT).equals(value))
        .findFirst()
        .orElseThrow(
            () ->
                fields.error(
                    name + " is '" + value + "'",
                    "It must be one of " + Arrays.toString(type.getEnumConstants()) + "."));
  }

  private static Near near(JsonFields fields) {
    return new Near(fields.texts("of"), fields.integer("before", 0), fields.integer("after", 0));
  }

  static List<LinePattern> patterns(JsonFields fields) {
    List<LinePattern> patterns = new ArrayList<>();
    for (JsonNode line :
        fields.node("lines").map(node -> (Iterable<JsonNode>) node).orElse(List.of())) {
      if (line.isString()) {
        String words = line.stringValue().toLowerCase(Locale.ROOT);
        patterns.add(new LinePattern(List.of(words), Optional.empty(), Optional.empty(), 0));
      } else {
        List<String> words = new ArrayList<>();
        line.path("words").forEach(word -> words.add(word.stringValue().toLowerCase(Locale.ROOT)));
        if (words.isEmpty()) {
          throw fields.error("a line pattern has no words: " + line, "Words are what is searched.");
        }
        int over = line.path("over").asInt(0);
        patterns.add(
            new LinePattern(words, regex(line, "match", over), regex(line, "except", over), over));
      }
    }
    return List.copyOf(patterns);
  }

  /** In a message over several lines any blank may be a break, or may be lost in one. */
  private static Optional<Pattern> regex(JsonNode line, String name, int over) {
    JsonNode value = line.get(name);
    if (value == null) {
      return Optional.empty();
    }
    String text = value.stringValue();
    return Optional.of(Pattern.compile(over == 0 ? text : text.replaceAll(" [?]?", "\\\\s*")));
  }
}
