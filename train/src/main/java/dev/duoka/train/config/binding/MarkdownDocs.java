package dev.duoka.train.config.binding;

import dev.duoka.formats.yaml.YamlTree;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Writes the reference of a configuration file from the records that it is bound to. */
public final class MarkdownDocs {
  private final StringBuilder text = new StringBuilder();
  private final Set<Class<?>> described = new HashSet<>();

  private MarkdownDocs() {}

  /** A table of the fields at the top level, then one for each section. */
  public static String of(Class<? extends Record> root) {
    MarkdownDocs docs = new MarkdownDocs();
    docs.heading("Top level");
    docs.fields(root, "");
    return docs.text.toString();
  }

  private void heading(String title) {
    text.append("\n## ").append(title).append("\n\n");
  }

  private void fields(Class<?> type, String path) {
    text.append("| field | value | default | meaning |\n|---|---|---|---|\n");
    List<Field> fields = Field.of(type);
    fields.forEach(this::row);
    for (Field field : fields) {
      if (field.isSection()) {
        String child = YamlTree.path(path, field.name());
        heading("`" + child + "`");
        text.append(field.doc().value()).append("\n\n");
        fields((Class<?>) field.type(), child);
      }
      field
          .sectionsOfList()
          .filter(described::add)
          .ifPresent(element -> element(element, YamlTree.path(path, field.name())));
    }
  }

  private void element(Class<?> type, String path) {
    heading("`" + path + "[]`");
    text.append(
        TextForm.isWrittenAsText(type)
            ? "What an element of the list may say instead of a text alone.\n\n"
            : "What an element of the list says.\n\n");
    fields(type, path);
  }

  private void row(Field field) {
    Doc doc = field.doc();
    boolean interval = !doc.range().isEmpty() && !isChoice(field);
    String range = interval ? ", " + Interval.parse(doc.range()).words() : "";
    String unit = doc.unit().isEmpty() ? "" : ", in " + doc.unit();
    text.append("| `").append(field.name()).append("` | ");
    text.append(typeName(field)).append(unit).append(range).append(" | ");
    text.append(defaultText(field)).append(" | ");
    text.append(doc.value().replace("|", "\\|")).append(" |\n");
  }

  private static String defaultText(Field field) {
    if (!field.doc().byDefault().isEmpty()) {
      return "`" + field.doc().byDefault() + "`";
    }
    if (!field.doc().whenAbsent().isEmpty()) {
      return field.doc().whenAbsent();
    }
    return field.isSection() && hasDefaults((Class<?>) field.type())
        ? "the defaults of its fields"
        : "**required**";
  }

  private static boolean hasDefaults(Class<?> section) {
    return Field.of(section).stream()
        .allMatch(
            field ->
                field.optional()
                    || !field.doc().byDefault().isEmpty()
                    || (field.isSection() && hasDefaults((Class<?>) field.type())));
  }

  private static boolean isChoice(Field field) {
    return field.type() instanceof Class<?> type && type.isEnum();
  }

  private static String typeName(Field field) {
    Type type = field.type();
    if (field.isSection()) {
      return "section";
    }
    if (type instanceof ParameterizedType generic) {
      if (generic.getRawType() != List.class) {
        return "any fields";
      }
      return field
          .sectionsOfList()
          .map(
              it -> TextForm.isWrittenAsText(it) ? "list of texts or sections" : "list of sections")
          .orElse("list of texts");
    }
    Class<?> raw = (Class<?>) type;
    if (isChoice(field)) {
      return TextForm.choices(raw, field.doc().range()).keySet().stream()
          .map(name -> "`" + name + "`")
          .collect(Collectors.joining(", "));
    }
    if (raw == int.class || raw == long.class) {
      return "whole number";
    }
    if (raw == double.class) {
      return "number";
    }
    if (raw == boolean.class) {
      return "`true`, `false`";
    }
    return raw == Path.class ? "path" : "text";
  }
}
