package dev.duoka.data.jinja;

import dev.duoka.data.jinja.Value.Dict;
import dev.duoka.data.jinja.Value.Sequence;
import dev.duoka.data.jinja.Value.Text;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The methods of Python's values; those that would change a value are refused. */
final class Methods {
  private Methods() {}

  /** The method of that name, bound to the value; null where there is none. */
  static @Nullable Value of(Value value, String name) {
    return switch (value) {
      case Text text -> TextMethods.of(text.text(), name);
      case Dict dict -> ofDict(dict, name);
      case Sequence items
          when items.kind() == Sequence.Kind.LIST || items.kind() == Sequence.Kind.TUPLE ->
          ofList(items, name);
      default -> null;
    };
  }

  private static @Nullable Value ofDict(Dict dict, String name) {
    return switch (name) {
      case "get" ->
          Builtin.of(
              name,
              (run, given) -> {
                Given.Bound bound = given.bind("get", "key", "default");
                Value found = dict.entries().get(Operators.key(bound.require(0)));
                return found != null ? found : bound.or(1, Value.none());
              });
      case "items" -> view(name, pairs(dict));
      case "keys" -> view(name, List.copyOf(dict.entries().keySet()));
      case "values" -> view(name, List.copyOf(dict.entries().values()));
      case "copy" -> without(name, (run, given) -> dict);
      case "clear", "pop", "popitem", "setdefault", "update" -> refused("dict", name);
      default -> null;
    };
  }

  /** Key and value of each entry, as tuples. */
  static List<Value> pairs(Dict dict) {
    List<Value> pairs = new ArrayList<>();
    for (Map.Entry<Value, Value> entry : dict.entries().entrySet()) {
      pairs.add(new Sequence(List.of(entry.getKey(), entry.getValue()), Sequence.Kind.TUPLE));
    }
    return pairs;
  }

  private static @Nullable Value ofList(Sequence list, String name) {
    return switch (name) {
      case "index" ->
          Builtin.of(
              name,
              (run, given) -> {
                Value wanted = given.bind("index", "value").require(0);
                List<Value> items = Access.items(run, list);
                for (int i = 0; i < items.size(); i++) {
                  if (Operators.equal(items.get(i), wanted)) {
                    return Value.of((long) i);
                  }
                }
                throw new Fault("'index' finds nothing equal in the list");
              });
      case "count" ->
          Builtin.of(
              name,
              (run, given) -> {
                Value wanted = given.bind("count", "value").require(0);
                return Value.of(
                    Access.items(run, list).stream()
                        .filter(item -> Operators.equal(item, wanted))
                        .count());
              });
      case "copy" -> without(name, (run, given) -> list);
      case "append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort" ->
          refused("list", name);
      default -> null;
    };
  }

  private static Value view(String name, List<Value> items) {
    return without(name, (run, given) -> new Sequence(run.items(items), Sequence.Kind.VIEW));
  }

  /** A method without arguments. */
  static Value without(String name, java.util.function.BiFunction<Run, Given, Value> body) {
    return Builtin.of(
        name,
        (run, given) -> {
          given.bind(name);
          return body.apply(run, given);
        });
  }

  private static Value refused(String kind, String name) {
    return Builtin.of(
        name,
        (run, given) -> {
          throw new Fault(
              "'%s' would change a %s, which a template may not; make a new one with + instead"
                  .formatted(name, kind));
        });
  }
}
