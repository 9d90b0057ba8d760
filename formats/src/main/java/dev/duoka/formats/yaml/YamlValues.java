package dev.duoka.formats.yaml;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.nodes.Tag;
import org.snakeyaml.engine.v2.resolver.ScalarResolver;
import org.snakeyaml.engine.v2.schema.JsonSchema;

/** Turns a part of a document that has no declared type into plain Java values, as JSON would. */
public final class YamlValues {
  private static final ScalarResolver RESOLVER = new JsonSchema().getScalarResolver();
  private static final int LONGEST_NUMBER = 64;

  private YamlValues() {}

  /** A {@code Map}, {@code List}, {@code String}, {@code Long}, {@code Double}, boolean or null. */
  public static @Nullable Object value(YamlTree tree) {
    return switch (tree) {
      case YamlTree.Mapping mapping -> map(mapping);
      case YamlTree.Sequence sequence -> {
        List<@Nullable Object> items = new ArrayList<>();
        sequence.items().forEach(item -> items.add(value(item)));
        yield items;
      }
      case YamlTree.Scalar scalar -> scalar(scalar);
    };
  }

  /** The fields of a section by name, in their order. */
  public static Map<String, @Nullable Object> map(YamlTree.Mapping mapping) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    mapping.entries().forEach((name, entry) -> values.put(name, value(entry.value())));
    return values;
  }

  /** Whether a name that was written without quotes reads as text, not as a number or the like. */
  static boolean isText(String name) {
    return value(new YamlTree.Scalar(name, true, "")) instanceof String;
  }

  private static @Nullable Object scalar(YamlTree.Scalar scalar) {
    String text = scalar.text();
    if (scalar.isNull()) {
      return null;
    }
    if (!scalar.plain() || text.length() > LONGEST_NUMBER) {
      return text;
    }
    Tag tag = RESOLVER.resolve(text, true);
    if (tag.equals(Tag.BOOL)) {
      return text.equals("true");
    }
    if (tag.equals(Tag.INT)) {
      BigDecimal number = new BigDecimal(text);
      return number.precision() <= 18 ? (Object) number.longValueExact() : number.doubleValue();
    }
    if (tag.equals(Tag.FLOAT) && Character.isDigit(text.charAt(text.length() - 1))) {
      return Double.parseDouble(text); // ends in a digit: neither .inf nor .nan
    }
    return text;
  }
}
