package dev.duoka.train.config.binding;

import dev.duoka.base.NearestName;
import dev.duoka.formats.yaml.YamlParser;
import dev.duoka.formats.yaml.YamlTree;
import dev.duoka.formats.yaml.YamlValues;
import java.lang.reflect.Constructor;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Binds a YAML tree to records by their components, whose {@link Doc} gives names and defaults.
 *
 * <p>Supported are {@code int}, {@code long}, {@code double}, {@code boolean}, {@code String},
 * {@code Path}, enums, types with a static {@code parse(String)}, nested records, records that may
 * be written either way, {@code List} of all these, {@code Map<String, Object>} for free-form
 * values, and an {@code Optional} around any of them.
 */
public final class Binder {
  private final Class<?> root;
  private final Problems problems;
  private final Map<String, String> origins = new LinkedHashMap<>();

  private Binder(Class<?> root, Problems problems) {
    this.root = root;
    this.problems = problems;
  }

  /**
   * What a file says.
   *
   * @param value the record; empty if a problem kept it from being built
   * @param origins where each field that is set was written, by its dotted path
   */
  public record Bound<T>(Optional<T> value, Map<String, String> origins) {
    /** Where a field was written, or, for one that was left out, where its section was. */
    public String origin(String path) {
      String origin = origins.get(path);
      if (origin != null) {
        return origin;
      }
      int dot = path.lastIndexOf('.');
      return dot < 0 ? origins.getOrDefault("", "") : origin(path.substring(0, dot));
    }
  }

  /** Binds a whole file. Unknown fields, wrong types and missing values become problems. */
  public static <T> Bound<T> bind(YamlTree.Mapping tree, Class<T> type, Problems problems) {
    Binder binder = new Binder(type, problems);
    binder.origins.put("", tree.origin());
    return new Bound<>(binder.section(tree, type, "").map(type::cast), binder.origins);
  }

  private Optional<Object> section(YamlTree.Mapping tree, Class<?> type, String path) {
    List<Field> fields = Field.of(type);
    refuseUnknown(tree, fields, path);
    List<Object> arguments = new ArrayList<>();
    for (Field field : fields) {
      component(tree, field, YamlTree.path(path, field.name())).ifPresent(arguments::add);
    }
    return arguments.size() == fields.size()
        ? Optional.of(construct(type, arguments))
        : Optional.empty();
  }

  private Optional<Object> component(YamlTree.Mapping section, Field field, String path) {
    YamlTree.Entry entry = section.entries().get(field.name());
    if (entry != null && !(entry.value() instanceof YamlTree.Scalar scalar && scalar.isNull())) {
      origins.put(path, entry.origin());
      return value(entry.value(), field.type(), path, field.doc().range()).map(field::wrap);
    }
    if (field.optional()) {
      return Optional.of(field.absent());
    }
    if (field.isSection()) {
      String origin = entry == null ? section.origin() : entry.origin();
      return section(new YamlTree.Mapping(Map.of(), origin), (Class<?>) field.type(), path);
    }
    if (field.doc().byDefault().isEmpty()) {
      String meaning = field.doc().value();
      problems.add(
          section.origin(), path + " is missing", meaning.substring(0, meaning.indexOf('.') + 1));
      return Optional.empty();
    }
    return YamlParser.value("the default of " + path, field.doc().byDefault(), problems)
        .flatMap(tree -> value(tree, field.type(), path, field.doc().range()));
  }

  private Optional<Object> value(YamlTree tree, Type type, String path, String range) {
    if (type instanceof ParameterizedType generic) {
      return generic.getRawType() == List.class
          ? list(tree, (Class<?>) generic.getActualTypeArguments()[0], path, range)
          : freeForm(tree, path);
    }
    Class<?> raw = (Class<?>) type;
    if (Field.makesSection(raw)) {
      if (tree instanceof YamlTree.Mapping mapping) {
        return section(mapping, raw, path);
      }
      if (!TextForm.isWrittenAsText(raw)) {
        return wrong(tree, path, "a section with the fields " + String.join(", ", names(raw)));
      }
      if (!(tree instanceof YamlTree.Scalar)) {
        return wrong(
            tree, path, "a text, or a section with the fields " + String.join(", ", names(raw)));
      }
    }
    if (tree instanceof YamlTree.Scalar scalar) {
      return new ScalarReader(path, problems).read(scalar, raw, range);
    }
    return wrong(tree, path, "a single value");
  }

  private Optional<Object> list(YamlTree tree, Class<?> type, String path, String range) {
    if (!(tree instanceof YamlTree.Sequence sequence)) {
      return wrong(tree, path, "a list such as [a, b]");
    }
    List<Object> items = new ArrayList<>();
    int index = 0;
    for (YamlTree item : sequence.items()) {
      String place = path;
      if (Field.makesSection(type)) {
        place = path + "[" + index++ + "]";
        origins.put(place, item.origin());
      }
      value(item, type, place, range).ifPresent(items::add);
    }
    return items.size() == sequence.items().size() ? Optional.of(items) : Optional.empty();
  }

  private Optional<Object> freeForm(YamlTree tree, String path) {
    if (!(tree instanceof YamlTree.Mapping mapping)) {
      return wrong(tree, path, "fields and values such as {a: 1}");
    }
    mapping
        .entries()
        .forEach((name, entry) -> origins.put(YamlTree.path(path, name), entry.origin()));
    return Optional.of(YamlValues.map(mapping));
  }

  private void refuseUnknown(YamlTree.Mapping tree, List<Field> fields, String path) {
    List<String> names = fields.stream().map(Field::name).toList();
    tree.entries()
        .forEach(
            (name, entry) -> {
              if (!names.contains(name)) {
                problems.add(
                    entry.origin(),
                    "unknown field '" + name + "'" + (path.isEmpty() ? "" : " in " + path),
                    hint(name, names));
              }
            });
  }

  /** Names that mean another thing in each section: who writes one does not look for another. */
  private static final Set<String> ANYWHERE = Set.of("kind", "type", "name", "path", "format");

  /**
   * What another program's field is here, else the nearest name of the section, else the section
   * that has such a field, else all names.
   */
  private String hint(String name, List<String> names) {
    Optional<String> foreign = ForeignNames.hint(name);
    if (foreign.isPresent()) {
      return foreign.get();
    }
    if (NearestName.of(name, names).isEmpty() && !ANYWHERE.contains(name)) {
      Optional<String> elsewhere = sectionWith(name, root, "");
      if (elsewhere.isPresent()) {
        return "It belongs in " + elsewhere.get() + ".";
      }
    }
    return NearestName.hint(name, names);
  }

  private static Optional<String> sectionWith(String name, Class<?> type, String path) {
    for (Field field : Field.of(type)) {
      if (field.name().equals(name)) {
        return Optional.of(path.isEmpty() ? "the top level" : path);
      }
      if (field.isSection()) {
        String child = YamlTree.path(path, field.name());
        Optional<String> found = sectionWith(name, (Class<?>) field.type(), child);
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  private static List<String> names(Class<?> section) {
    return Field.of(section).stream().map(Field::name).toList();
  }

  private Optional<Object> wrong(YamlTree tree, String path, String wanted) {
    problems.add(tree.origin(), path + " wants " + wanted + ", got " + tree.description(), "");
    return Optional.empty();
  }

  private static Object construct(Class<?> type, List<Object> arguments) {
    Class<?>[] types =
        Arrays.stream(type.getRecordComponents())
            .map(RecordComponent::getType)
            .toArray(Class<?>[]::new);
    try {
      Constructor<?> constructor = type.getDeclaredConstructor(types);
      return constructor.newInstance(arguments.toArray());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot build " + type + " from " + arguments, e);
    }
  }
}
