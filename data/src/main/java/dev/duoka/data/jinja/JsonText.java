package dev.duoka.data.jinja;

import dev.duoka.data.jinja.Value.Bool;
import dev.duoka.data.jinja.Value.Dict;
import dev.duoka.data.jinja.Value.Int;
import dev.duoka.data.jinja.Value.None;
import dev.duoka.data.jinja.Value.Real;
import dev.duoka.data.jinja.Value.Sequence;
import dev.duoka.data.jinja.Value.Text;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes values as Python's {@code json.dumps} does, which is what transformers' {@code tojson} is:
 * nothing is escaped for HTML.
 */
final class JsonText {
  private final Run run;
  private final boolean ascii;
  private final @Nullable String indent;
  private final String between;
  private final String afterKey;
  private final boolean sorted;
  private final StringBuilder out = new StringBuilder();

  private JsonText(
      Run run,
      boolean ascii,
      @Nullable String indent,
      String between,
      String afterKey,
      boolean sorted) {
    this.run = run;
    this.ascii = ascii;
    this.indent = indent;
    this.between = between;
    this.afterKey = afterKey;
    this.sorted = sorted;
  }

  /** The filter: {@code tojson(ensure_ascii, indent, separators, sort_keys)}. */
  static Value filter(Run run, Value value, Given given) {
    // The order of transformers' filter, not that of Jinja's own.
    Given.Bound bound = given.bind("tojson", "ensure_ascii", "indent", "separators", "sort_keys");
    Value indent = bound.or(1, Value.none());
    String step =
        switch (indent) {
          case None _ -> null;
          case Text text -> text.text();
          default -> " ".repeat(Math.clamp(Operators.whole(indent, "'tojson'"), 0, 64));
        };
    String between = step == null ? ", " : ",";
    String afterKey = ": ";
    if (bound.or(2, Value.none()) instanceof Sequence separators) {
      List<Value> two = separators.items();
      if (two.size() != 2 || !(two.get(0) instanceof Text a) || !(two.get(1) instanceof Text b)) {
        throw new Fault("'tojson' needs two texts as separators");
      }
      between = a.text();
      afterKey = b.text();
    }
    JsonText json =
        new JsonText(run, bound.truth(0, false), step, between, afterKey, bound.truth(3, false));
    json.write(value, 0);
    return run.text(json.out.toString());
  }

  private void write(Value value, int level) {
    run.step();
    run.checkLength(out.length());
    switch (value) {
      case Text text -> quote(text.text());
      case Int number -> out.append(number.number());
      case Real number -> out.append(real(number.number()));
      case Bool bool -> out.append(bool.truth());
      case None _ -> out.append("null");
      case Sequence items
          when items.kind() == Sequence.Kind.LIST || items.kind() == Sequence.Kind.TUPLE -> {
        List<Value> all = items.items();
        out.append('[');
        for (int i = 0; i < all.size(); i++) {
          begin(i, level + 1);
          write(all.get(i), level + 1);
        }
        end(all.isEmpty(), level);
        out.append(']');
      }
      case Dict dict -> {
        List<Map.Entry<Value, Value>> entries = new ArrayList<>(dict.entries().entrySet());
        if (sorted) {
          entries.sort(Comparator.comparing(Map.Entry::getKey, Operators::compare));
        }
        out.append('{');
        for (int i = 0; i < entries.size(); i++) {
          begin(i, level + 1);
          quote(key(entries.get(i).getKey()));
          out.append(afterKey);
          write(entries.get(i).getValue(), level + 1);
        }
        end(entries.isEmpty(), level);
        out.append('}');
      }
      default -> {
        Operators.refuseUndefined(value);
        throw new Fault("a value of kind " + Operators.kind(value) + " cannot be written as JSON");
      }
    }
  }

  private void begin(int index, int level) {
    out.append(index == 0 ? "" : between);
    line(level);
  }

  private void end(boolean empty, int level) {
    if (!empty) {
      line(level);
    }
  }

  private void line(int level) {
    if (indent != null) {
      out.append('\n');
      for (int i = 0; i < level; i++) {
        out.append(indent);
      }
    }
  }

  private String key(Value key) {
    return switch (key) {
      case Text text -> text.text();
      case None _ -> "null";
      case Int number -> Long.toString(number.number());
      case Real number -> real(number.number());
      default -> throw new Fault("JSON has no key of kind " + Operators.kind(key));
    };
  }

  private static String real(double number) {
    return Double.isNaN(number)
        ? "NaN"
        : Double.isInfinite(number)
            ? (number > 0 ? "Infinity" : "-Infinity")
            : PythonText.real(number);
  }

  private void quote(String text) {
    run.charge(text.length() / Run.CHARACTERS_PER_STEP);
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        default -> {
          if (c < ' ' || (ascii && c > '~')) {
            out.append("\\u%04x".formatted((int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
