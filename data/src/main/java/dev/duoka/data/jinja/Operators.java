package dev.duoka.data.jinja;

import dev.duoka.data.jinja.Value.Bool;
import dev.duoka.data.jinja.Value.Dict;
import dev.duoka.data.jinja.Value.Int;
import dev.duoka.data.jinja.Value.None;
import dev.duoka.data.jinja.Value.Real;
import dev.duoka.data.jinja.Value.Sequence;
import dev.duoka.data.jinja.Value.Text;
import dev.duoka.data.jinja.Value.Undefined;
import java.util.List;

/** What Python says of values: truth, equality, order, kind. */
final class Operators {
  private Operators() {}

  /** Whether an {@code if} takes it. */
  static boolean truth(Value value) {
    return switch (value) {
      case Text text -> !text.text().isEmpty();
      case Int number -> number.number() != 0;
      case Real number -> number.number() != 0;
      case Bool bool -> bool.truth();
      case None _, Undefined _ -> false;
      case Sequence items -> items.kind() == Sequence.Kind.GENERATOR || !items.items().isEmpty();
      case Dict dict -> !dict.entries().isEmpty();
      case Value.Namespace _, Value.Function _, Value.Loop _ -> true;
    };
  }

  /** What Python calls its type. */
  static String kind(Value value) {
    return switch (value) {
      case Text _ -> "str";
      case Int _ -> "int";
      case Real _ -> "float";
      case Bool _ -> "bool";
      case None _ -> "None";
      case Undefined _ -> "undefined";
      case Sequence items ->
          switch (items.kind()) {
            case LIST -> "list";
            case TUPLE -> "tuple";
            case VIEW -> "view of a dict";
            case GENERATOR -> "generator";
          };
      case Dict _ -> "dict";
      case Value.Namespace _ -> "namespace";
      case Value.Function _ -> "function";
      case Value.Loop _ -> "loop";
    };
  }

  /** Refuses what nobody defined where something is needed. */
  static void refuseUndefined(Value value) {
    if (value instanceof Undefined undefined) {
      throw new Fault(undefined.reason());
    }
  }

  static boolean isNumber(Value value) {
    return value instanceof Int || value instanceof Real || value instanceof Bool;
  }

  /** A whole number; {@code where} needs it. */
  static long whole(Value value, String where) {
    return switch (value) {
      case Int number -> number.number();
      case Bool bool -> bool.truth() ? 1 : 0;
      case Undefined undefined -> throw new Fault(undefined.reason());
      default -> throw new Fault(where + " needs a whole number, and gets " + kind(value));
    };
  }

  /** Any number as a floating-point one. */
  static double real(Value value) {
    return value instanceof Real real ? real.number() : whole(value, "arithmetic");
  }

  static boolean equal(Value a, Value b) {
    if (isNumber(a) && isNumber(b)) {
      return (a instanceof Real || b instanceof Real)
          ? real(a) == real(b)
          : whole(a, "==") == whole(b, "==");
    }
    if (a instanceof Sequence x && b instanceof Sequence y && isIndexed(x) && isIndexed(y)) {
      return x.kind() == y.kind() && equal(x.items(), y.items());
    }
    if (a instanceof Dict x && b instanceof Dict y) {
      return x.entries().size() == y.entries().size()
          && x.entries().entrySet().stream()
              .allMatch(
                  entry -> {
                    Value other = y.entries().get(entry.getKey());
                    return other != null && equal(entry.getValue(), other);
                  });
    }
    return a.equals(b);
  }

  private static boolean equal(List<Value> a, List<Value> b) {
    if (a.size() != b.size()) {
      return false;
    }
    for (int i = 0; i < a.size(); i++) {
      if (!equal(a.get(i), b.get(i))) {
        return false;
      }
    }
    return true;
  }

  private static boolean isIndexed(Sequence items) {
    return items.kind() == Sequence.Kind.LIST || items.kind() == Sequence.Kind.TUPLE;
  }

  /** Python's order; values that have none are refused. */
  static int compare(Value a, Value b) {
    refuseUndefined(a);
    refuseUndefined(b);
    if (isNumber(a) && isNumber(b)) {
      return (a instanceof Real || b instanceof Real)
          ? Double.compare(real(a), real(b))
          : Long.compare(whole(a, "<"), whole(b, "<"));
    }
    if (a instanceof Text x && b instanceof Text y) {
      return TextOps.compare(x.text(), y.text());
    }
    if (a instanceof Sequence x && b instanceof Sequence y && x.kind() == y.kind()) {
      List<Value> these = x.items();
      List<Value> those = y.items();
      for (int i = 0; i < Math.min(these.size(), those.size()); i++) {
        if (!equal(these.get(i), those.get(i))) {
          return compare(these.get(i), those.get(i));
        }
      }
      return Integer.compare(these.size(), those.size());
    }
    throw new Fault(kind(a) + " and " + kind(b) + " have no order");
  }

  /** As a dictionary knows a key: 1, 1.0 and true are the same one. */
  static Value key(Value value) {
    return switch (value) {
      case Bool bool -> Value.of(bool.truth() ? 1 : 0);
      case Real real
          when real.number() == Math.rint(real.number()) && Math.abs(real.number()) < 1e15 ->
          Value.of((long) real.number());
      case Sequence items when items.kind() != Sequence.Kind.TUPLE ->
          throw new Fault("a " + kind(value) + " cannot be the key of a dict");
      case Dict _ -> throw new Fault("a dict cannot be the key of a dict");
      default -> value;
    };
  }
}
