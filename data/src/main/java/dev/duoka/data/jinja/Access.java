package dev.duoka.data.jinja;

import dev.duoka.data.jinja.Value.Dict;
import dev.duoka.data.jinja.Value.Sequence;
import dev.duoka.data.jinja.Value.Text;
import dev.duoka.data.jinja.Value.Undefined;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What is inside a value: its items, fields, methods and stretches. */
final class Access {
  private Access() {}

  /** What a loop goes through. */
  static List<Value> items(Run run, Value value) {
    List<Value> items =
        switch (value) {
          case Sequence sequence -> sequence.items();
          case Dict dict -> List.copyOf(dict.entries().keySet());
          case Text text -> TextOps.characters(text.text());
          case Undefined _ -> List.of();
          default -> throw new Fault("a value of kind " + Operators.kind(value) + " has no items");
        };
    return run.items(items);
  }

  static long length(Value value) {
    return switch (value) {
      case Sequence items when items.kind() != Sequence.Kind.GENERATOR -> items.items().size();
      case Dict dict -> dict.entries().size();
      case Text text -> TextOps.length(text.text());
      case Undefined _ -> 0;
      default -> throw new Fault("a value of kind " + Operators.kind(value) + " has no length");
    };
  }

  /** {@code part in whole}. */
  static boolean contains(Run run, Value whole, Value part) {
    if (whole instanceof Text text) {
      if (part instanceof Text words) {
        run.charge(text.text().length() / Run.CHARACTERS_PER_STEP);
        return text.text().contains(words.text());
      }
      Operators.refuseUndefined(part);
      throw new Fault("only a text can be in a text, not " + Operators.kind(part));
    }
    if (whole instanceof Dict dict) {
      return dict.entries().containsKey(Operators.key(part));
    }
    return items(run, whole).stream().anyMatch(item -> Operators.equal(item, part));
  }

  /** {@code value.name}: a method first, then a field. */
  static Value attribute(Value value, String name) {
    if (value instanceof Undefined undefined) {
      throw new Fault(undefined.reason());
    }
    Value method = Methods.of(value, name);
    if (method != null) {
      return method;
    }
    Value found = field(value, name);
    return found != null ? found : missing(value, name);
  }

  /** {@code value[index]}: an item first, then a method. */
  static Value item(Value value, Value index) {
    if (value instanceof Undefined undefined) {
      throw new Fault(undefined.reason());
    }
    Value found = null;
    if (value instanceof Dict dict) {
      found = isKey(index) ? dict.entries().get(Operators.key(index)) : null;
    } else if (index instanceof Value.Int || index instanceof Value.Bool) {
      found = at(value, Operators.whole(index, "an index"));
    }
    if (found == null && index instanceof Text name) {
      found = field(value, name.text());
      found = found == null ? Methods.of(value, name.text()) : found;
    }
    return found != null
        ? found
        : missing(value, index instanceof Text t ? t.text() : "of that index");
  }

  private static boolean isKey(Value index) {
    return !(index instanceof Dict)
        && !(index instanceof Sequence items && items.kind() != Sequence.Kind.TUPLE);
  }

  private static @Nullable Value field(Value value, String name) {
    return switch (value) {
      case Dict dict -> dict.get(name);
      case Value.Namespace namespace -> namespace.get(name);
      case Value.Loop loop -> LoopFields.of(loop, name);
      default -> null;
    };
  }

  private static Value missing(Value value, String name) {
    return new Undefined(
        "a value of kind " + Operators.kind(value) + " has nothing called '" + name + "'");
  }

  private static @Nullable Value at(Value value, long index) {
    if (value instanceof Text text) {
      int length = TextOps.length(text.text());
      long from = index < 0 ? index + length : index;
      if (from < 0 || from >= length) {
        return null;
      }
      int offset = text.text().offsetByCodePoints(0, (int) from);
      return Value.of(Character.toString(text.text().codePointAt(offset)));
    }
    if (value instanceof Sequence items
        && (items.kind() == Sequence.Kind.LIST || items.kind() == Sequence.Kind.TUPLE)) {
      int size = items.items().size();
      long from = index < 0 ? index + size : index;
      return from < 0 || from >= size ? null : items.items().get((int) from);
    }
    return null;
  }

  /** {@code value[from:to:step]}; null stands for what is left out. */
  static Value slice(
      Run run, Value value, @Nullable Value from, @Nullable Value to, @Nullable Value step) {
    Operators.refuseUndefined(value);
    boolean text = value instanceof Text;
    if (!text
        && !(value instanceof Sequence items
            && (items.kind() == Sequence.Kind.LIST || items.kind() == Sequence.Kind.TUPLE))) {
      return missing(value, "of those indexes");
    }
    List<Value> items = items(run, value);
    long by = number(step, 1);
    if (by == 0) {
      throw new Fault("the step of a slice is zero");
    }
    int size = items.size();
    long first = by > 0 ? bound(from, 0, 0, size, size) : bound(from, size - 1, -1, size - 1, size);
    long end = by > 0 ? bound(to, size, 0, size, size) : bound(to, -1, -1, size - 1, size);
    List<Value> taken = new ArrayList<>();
    for (long i = first; by > 0 ? i < end : i > end; i += Math.clamp(by, -size - 1, size + 1)) {
      taken.add(items.get((int) i));
    }
    if (text) {
      StringBuilder out = new StringBuilder();
      taken.forEach(c -> out.append(((Text) c).text()));
      return run.text(out.toString());
    }
    return new Sequence(taken, ((Sequence) value).kind());
  }

  private static long bound(@Nullable Value value, long absent, long least, long most, int size) {
    if (value == null || value instanceof Value.None) {
      return absent;
    }
    long index = Operators.whole(value, "a slice");
    return Math.clamp(
        index < 0 ? Math.max(index, -size - 1L) + size : index, least, Math.max(least, most));
  }

  private static long number(@Nullable Value value, long absent) {
    return value == null || value instanceof Value.None
        ? absent
        : Operators.whole(value, "a slice");
  }
}
