package dev.duoka.train.config.binding;

import dev.duoka.formats.yaml.YamlTree;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Dump;
import org.snakeyaml.engine.v2.api.DumpSettings;
import org.snakeyaml.engine.v2.common.FlowStyle;

/** Writes records as the YAML that {@link Binder} reads back to equal records. */
public final class YamlWriter {
  private YamlWriter() {}

  /** The record as a YAML document; absent optional fields are left out. */
  public static String write(Record section) {
    DumpSettings settings =
        DumpSettings.builder()
            .setDefaultFlowStyle(FlowStyle.BLOCK)
            .setSplitLines(false)
            .setDereferenceAliases(true)
            .build();
    return new Dump(settings).dumpToString(values(section));
  }

  /** The values that differ between two records, by their dotted paths in alphabetical order. */
  public static List<FieldChange> changes(Record before, Record after) {
    Map<String, String> old = new LinkedHashMap<>();
    flatten("", values(before), old);
    Map<String, String> current = new LinkedHashMap<>();
    flatten("", values(after), current);
    Set<String> paths = new TreeSet<>(old.keySet());
    paths.addAll(current.keySet());
    return paths.stream()
        .map(
            path ->
                new FieldChange(path, old.getOrDefault(path, ""), current.getOrDefault(path, "")))
        .filter(change -> !change.before().equals(change.after()))
        .toList();
  }

  private static Map<String, @Nullable Object> values(Record section) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    for (Field field : Field.of(section.getClass())) {
      Field.unwrap(held(field, section)).ifPresent(value -> values.put(field.name(), plain(value)));
    }
    return values;
  }

  private static Object plain(Object value) {
    if (value instanceof Record section && !isText(section)) {
      return values(section);
    }
    return switch (value) {
      case List<?> list -> list.stream().map(YamlWriter::plain).toList();
      case Enum<?> constant -> TextForm.name(constant);
      case Path path -> path.toString();
      case Record text -> text.toString();
      default -> value;
    };
  }

  /** A record that may be written either way is written as text where that says all of it. */
  private static boolean isText(Record value) {
    return TextForm.isWrittenAsText(value.getClass())
        && (!Field.makesSection(value.getClass())
            || TextForm.parse(value.getClass(), value.toString()).equals(value));
  }

  private static Object held(Field field, Record section) {
    try {
      return field.component().getAccessor().invoke(section);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot read " + field.component(), e);
    }
  }

  private static void flatten(String path, @Nullable Object value, Map<String, String> into) {
    if (value instanceof Map<?, ?> map && !map.isEmpty()) {
      map.forEach((name, child) -> flatten(YamlTree.path(path, name.toString()), child, into));
    } else {
      into.put(path, String.valueOf(value));
    }
  }
}
