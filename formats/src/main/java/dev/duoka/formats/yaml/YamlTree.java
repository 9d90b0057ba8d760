package dev.duoka.formats.yaml;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A YAML document as it was written, each part with its origin for messages: {@code run.yaml:12:3},
 * or {@code --set key} for a value of the command line.
 */
public sealed interface YamlTree {
  /** Where the user wrote it. */
  String origin();

  /** What it is, in the words of a message. */
  String description();

  /**
   * A scalar, its meaning not yet decided.
   *
   * @param plain whether it was written without quotes, so that it may be a number or null
   */
  record Scalar(String text, boolean plain, String origin) implements YamlTree {
    /** Whether the value is YAML's null: nothing at all, {@code ~} or {@code null}. */
    public boolean isNull() {
      return plain && (text.isEmpty() || text.equals("~") || text.equals("null"));
    }

    @Override
    public String description() {
      if (isNull()) {
        return "nothing";
      }
      String shown = text.length() <= 60 ? text : text.substring(0, 60) + "…";
      return plain ? "'" + shown + "'" : "the text \"" + shown + "\"";
    }
  }

  /** A list. */
  record Sequence(List<YamlTree> items, String origin) implements YamlTree {
    public Sequence {
      items = List.copyOf(items);
    }

    @Override
    public String description() {
      return "a list";
    }
  }

  /** A section: fields by name, in the order of the file. */
  record Mapping(Map<String, Entry> entries, String origin) implements YamlTree {
    public Mapping {
      entries = Collections.unmodifiableMap(new LinkedHashMap<>(entries));
    }

    @Override
    public String description() {
      return "a section";
    }

    /**
     * A copy in which the field at {@code path} is replaced or added, with the sections on the way.
     *
     * @throws NotASectionException if something on the way is there but is no section
     */
    public Mapping with(List<String> path, Entry entry) throws NotASectionException {
      Map<String, Entry> changed = new LinkedHashMap<>(entries);
      String name = path.getFirst();
      if (path.size() == 1) {
        changed.put(name, entry);
        return new Mapping(changed, origin);
      }
      Entry child = entries.get(name);
      Mapping section =
          switch (child == null ? null : child.value()) {
            case null -> new Mapping(Map.of(), entry.origin());
            case Mapping mapping -> mapping;
            case Scalar scalar when scalar.isNull() -> new Mapping(Map.of(), scalar.origin());
            case Scalar _, Sequence _ -> throw new NotASectionException(name);
          };
      Mapping replaced = section.with(path.subList(1, path.size()), entry);
      changed.put(name, new Entry(child == null ? entry.origin() : child.origin(), true, replaced));
      return new Mapping(changed, origin);
    }
  }

  /**
   * One field of a section.
   *
   * @param origin where its name stands
   * @param plain whether its name was written without quotes, so that it may look like a number
   */
  record Entry(String origin, boolean plain, YamlTree value) {}

  /** A path leads through a value that has no fields. */
  final class NotASectionException extends Exception {
    private static final long serialVersionUID = 1L;

    NotASectionException(String name) {
      super(name);
    }
  }

  /** The dotted path of a field within a section; the section's own path may be empty. */
  static String path(String section, String field) {
    return section.isEmpty() ? field : section + "." + field;
  }

  /** The parts of a dotted path. */
  static List<String> parts(String path) {
    return new ArrayList<>(List.of(path.split("\\.", -1)));
  }
}
