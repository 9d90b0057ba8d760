package dev.duoka.cli.console;

import java.io.PrintWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Prints a tree of plain records, as indented text or as JSON with names in snake_case. An empty
 * optional is {@code null} in JSON and left out of the text.
 */
public final class RecordTree {
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  /** Words that are names, by what a field's name makes of them. */
  private static final Map<String, String> NAMES =
      Map.of(
          "lib torch", "LibTorch",
          "omp num threads", "OMP_NUM_THREADS",
          "open mp", "OpenMP",
          "open blas", "OpenBLAS",
          "cuda", "CUDA",
          "nvml", "NVML",
          "abi", "ABI",
          "cpu", "CPU");

  private RecordTree() {}

  /** The record as JSON. */
  public static JsonNode json(@Nullable Object value) {
    return switch (value) {
      case null -> NODES.nullNode();
      case Optional<?> optional -> json(optional.orElse(null));
      case Record node -> {
        ObjectNode object = NODES.objectNode();
        for (RecordComponent component : node.getClass().getRecordComponents()) {
          object.set(snakeCase(component.getName()), json(read(node, component)));
        }
        yield object;
      }
      case List<?> list -> {
        ArrayNode array = NODES.arrayNode();
        list.forEach(element -> array.add(json(element)));
        yield array;
      }
      case Boolean flag -> NODES.booleanNode(flag);
      case Integer number -> NODES.numberNode(number);
      case Long number -> NODES.numberNode(number);
      case Double number -> NODES.numberNode(number);
      default -> NODES.stringNode(value.toString());
    };
  }

  /** Prints the record, one value a line. */
  public static void print(Record root, PrintWriter out) {
    print(json(root), 0, out);
  }

  private static void print(JsonNode node, int depth, PrintWriter out) {
    node.properties()
        .forEach(
            entry -> {
              JsonNode value = entry.getValue();
              String name = "  ".repeat(depth) + words(entry.getKey());
              if (value.isNull() || ((value.isArray() || value.isObject()) && value.isEmpty())) {
                return;
              }
              if (value.isObject()) {
                out.println(name);
                print(value, depth + 1, out);
              } else if (value.isArray()) {
                out.println(name);
                value.forEach(element -> printElement(element, depth + 1, out));
              } else {
                out.println(String.format(Locale.ROOT, "%-28s %s", name, value.asString()));
              }
            });
  }

  /** The name of a field as people write it. */
  private static String words(String key) {
    String words = key.replace('_', ' ');
    for (Map.Entry<String, String> name : NAMES.entrySet()) {
      words = words.replaceAll("\\b" + name.getKey() + "\\b", name.getValue());
    }
    return words;
  }

  private static void printElement(JsonNode element, int depth, PrintWriter out) {
    if (element.isObject()) {
      out.println("  ".repeat(depth) + "-");
      print(element, depth + 1, out);
    } else {
      out.println("  ".repeat(depth) + "- " + element.asString());
    }
  }

  private static @Nullable Object read(Record node, RecordComponent component) {
    try {
      Object value = component.getAccessor().invoke(node);
      return value instanceof Path path ? path.toString() : value;
    } catch (IllegalAccessException | InvocationTargetException e) {
      throw new IllegalStateException("cannot read " + component, e);
    }
  }

  private static String snakeCase(String name) {
    return name.replaceAll("([a-z])([A-Z])", "$1_$2").toLowerCase(Locale.ROOT);
  }
}
