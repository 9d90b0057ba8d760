package dev.duoka.data.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What a template computes with: Python's values, as far as templates need them. */
public sealed interface Value {
  /** Levels of lists and dictionaries inside each other. */
  int MAX_LEVELS = 200;

  /** {@code None}. */
  static Value none() {
    return None.VALUE;
  }

  /** A text. */
  static Value of(String text) {
    return new Text(text);
  }

  /** A whole number. */
  static Value of(long number) {
    return new Int(number);
  }

  /** True or false. */
  static Value of(boolean truth) {
    return truth ? Bool.TRUE : Bool.FALSE;
  }

  /** A list; the items are kept, not copied. */
  static Value list(List<Value> items) {
    return new Sequence(items, Sequence.Kind.LIST);
  }

  /** How many levels of lists and dictionaries there are, this one included. */
  default int levels() {
    return 0;
  }

  /** A text; Python counts code points, so {@link TextOps} does. */
  record Text(String text) implements Value {}

  /** A whole number of 64 bits. */
  record Int(long number) implements Value {}

  /** A floating-point number. */
  record Real(double number) implements Value {}

  /** True or false; in arithmetic 1 or 0. */
  record Bool(boolean truth) implements Value {
    static final Bool TRUE = new Bool(true);
    static final Bool FALSE = new Bool(false);
  }

  /** Nothing. */
  record None() implements Value {
    private static final None VALUE = new None();
  }

  /**
   * What a name stands for that nobody defined: an empty text, an empty list, false.
   *
   * @param reason what is missing, for the error of whoever needs more than that
   */
  record Undefined(String reason) implements Value {
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Undefined;
    }

    @Override
    public int hashCode() {
      return 0;
    }
  }

  /** Items in order. */
  final class Sequence implements Value {
    /** What Python calls it, which decides what can be done with it. */
    enum Kind {
      LIST,
      TUPLE,
      /** Of a dictionary: has a length, but no index. */
      VIEW,
      /** Can be gone through once; always true, without length and index. */
      GENERATOR
    }

    private final List<Value> items;
    private final Kind kind;
    private final int levels;
    private boolean taken;

    Sequence(List<Value> items, Kind kind) {
      this.items = items;
      this.kind = kind;
      this.levels = above(items);
    }

    Kind kind() {
      return kind;
    }

    /** The items; of a generator only once. */
    List<Value> items() {
      if (kind == Kind.GENERATOR) {
        if (taken) {
          return List.of();
        }
        taken = true;
      }
      return items;
    }

    @Override
    public int levels() {
      return levels;
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Sequence that
          && kind == that.kind
          && (kind == Kind.GENERATOR ? this == that : items.equals(that.items));
    }

    @Override
    public int hashCode() {
      return items.hashCode();
    }
  }

  /** Values by their keys, in the order in which they were put in. */
  final class Dict implements Value {
    private final Map<Value, Value> entries;
    private final int levels;

    /** The map is kept, not copied; its keys are {@link Operators#key}s. */
    Dict(Map<Value, Value> entries) {
      this.entries = Collections.unmodifiableMap(entries);
      this.levels = above(entries.values());
    }

    /** One with texts as keys. */
    public static Dict ofNames(Map<String, Value> named) {
      Map<Value, Value> entries = new LinkedHashMap<>();
      named.forEach((name, value) -> entries.put(Value.of(name), value));
      return new Dict(entries);
    }

    Map<Value, Value> entries() {
      return entries;
    }

    @Nullable Value get(String key) {
      return entries.get(Value.of(key));
    }

    @Override
    public int levels() {
      return levels;
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Dict that && entries.equals(that.entries);
    }

    @Override
    public int hashCode() {
      return entries.hashCode();
    }
  }

  /** {@code namespace()}: the one value that a template can change. */
  final class Namespace implements Value {
    private final Map<String, Value> fields;

    Namespace(Map<String, Value> fields) {
      this.fields = fields;
    }

    @Nullable Value get(String name) {
      return fields.get(name);
    }

    void set(String name, Value value) {
      fields.put(name, value);
    }
  }

  /** Something to call. */
  non-sealed interface Function extends Value {
    /** What errors call it. */
    String name();

    /** Its result for these arguments. */
    Value call(Run run, Given given);
  }

  /** {@code loop}, inside a loop. */
  final class Loop implements Value {
    final List<Value> items;
    final int index;
    private final List<Value> seen;

    /**
     * @param seen what {@code changed} was last called with, shared by all rounds
     */
    Loop(List<Value> items, int index, List<Value> seen) {
      this.items = items;
      this.index = index;
      this.seen = seen;
    }

    boolean changed(List<Value> values) {
      if (Objects.equals(seen, values)) {
        return false;
      }
      seen.clear();
      seen.addAll(values);
      return true;
    }
  }

  private static int above(Iterable<Value> values) {
    int levels = 0;
    for (Value value : values) {
      levels = Math.max(levels, value.levels());
    }
    if (levels >= MAX_LEVELS) {
      throw new Fault("lists and dictionaries are more than " + MAX_LEVELS + " levels deep");
    }
    return levels + 1;
  }

  /** A list of its own, for items that are still to change. */
  static List<Value> copy(List<Value> items) {
    return new ArrayList<>(items);
  }
}
