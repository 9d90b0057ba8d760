package dev.duoka.doctor.container;

import dev.duoka.formats.json.Json;
import dev.duoka.formats.json.JsonFields;
import dev.duoka.formats.yaml.YamlData;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Which fields the objects of a format have, and of which types: what a strict reader of it takes.
 * Types are those below, objects of the table, {@code text|X} for a text or X, {@code [X]} for a
 * list and {@code {X}} for an object of any names.
 */
final class FieldTable {
  private final JsonNode kinds;

  private FieldTable(JsonNode kinds) {
    this.kinds = kinds;
  }

  /** The table of a resource beside this class. */
  static FieldTable of(String resource) {
    return new FieldTable(node(YamlData.resource(FieldTable.class, resource)));
  }

  /** A document as YAML readers have it. */
  static JsonNode read(String yaml) {
    return node(YamlData.parse(yaml, "the file"));
  }

  private static JsonNode node(JsonFields fields) {
    ObjectNode node = Json.object();
    fields.names().forEach(name -> node.set(name, fields.node(name).orElseThrow()));
    return node;
  }

  /** What of an object is not as its type wants it. */
  List<String> problems(JsonNode node, String type) {
    List<String> problems = new ArrayList<>();
    check(node, type, type, problems);
    return problems;
  }

  private void check(JsonNode node, String types, String at, List<String> problems) {
    int either = types.startsWith("[") || isMap(types) ? -1 : types.indexOf('|');
    String type =
        either < 0
            ? types
            : node.isString() ? types.substring(0, either) : types.substring(either + 1);
    boolean right =
        switch (type) {
          case "text" -> node.isString();
          case "whole" -> node.isIntegralNumber();
          case "flag" -> node.isBoolean();
          case "texts" -> node.isObject() && allText(node);
          case "quantity" -> node.isIntegralNumber() || is(node, "\\d+(\\.\\d+)?(m|Ki|Mi|Gi|Ti)?");
          case "quantities" -> node.isObject();
          case "size" -> node.isIntegralNumber() || is(node, "\\d+(b|k|kb|m|mb|g|gb)");
          case "duration" ->
              is(node, "(\\d+h)?(\\d+m)?(\\d+s)?(\\d+ms)?(\\d+us)?") && !is(node, "");
          case "mount" -> is(node, "(?s)(/|\\.|[A-Za-z0-9_-]).*") && !hasOneDollar(node.asString());
          default ->
              type.startsWith("[")
                  ? node.isArray()
                  : node.isObject() && (isMap(type) || kinds.has(type));
        };
    if (!right) {
      problems.add(at + " is no " + type + ": " + node);
    } else if (type.startsWith("[")) {
      String each = type.substring(1, type.length() - 1);
      node.forEach(entry -> check(entry, each, at + "[]", problems));
    } else if (isMap(type)) {
      String each = type.substring(1, type.length() - 1);
      node.properties().stream()
          .filter(entry -> !entry.getValue().isNull()) // a volume may say nothing of itself
          .forEach(entry -> check(entry.getValue(), each, at + "." + entry.getKey(), problems));
    } else if (type.equals("quantities")) {
      node.forEach(entry -> check(entry, "quantity", at + " quantity", problems));
    } else if (kinds.has(type)) {
      fields(node, kinds.path(type), at, problems);
    }
  }

  private static boolean isMap(String type) {
    return type.startsWith("{");
  }

  private static boolean is(JsonNode node, String pattern) {
    return node.isString() && node.asString().matches(pattern);
  }

  /** A variable would stand there for Compose, which takes two dollars for one. */
  private static boolean hasOneDollar(String text) {
    return text.replace("$$", "").contains("$");
  }

  private static boolean allText(JsonNode node) {
    for (JsonNode value : node) {
      if (!value.isString()) {
        return false;
      }
    }
    return true;
  }

  private void fields(JsonNode node, JsonNode known, String at, List<String> problems) {
    Map<String, String> types = new TreeMap<>();
    known.propertyNames().forEach(name -> types.put(name, known.path(name).asString("")));
    for (String name : node.propertyNames()) {
      String type = Optional.ofNullable(types.remove(name)).orElse(types.remove(name + "!"));
      if (type == null) {
        problems.add(at + " has no field " + name);
      } else {
        check(node.path(name), type, at + "." + name, problems);
      }
    }
    types.keySet().stream()
        .filter(name -> name.endsWith("!"))
        .forEach(name -> problems.add(at + " lacks " + name.replace("!", "")));
  }
}
