package dev.duoka.data.jinja;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The arguments of a call. */
record Given(List<Value> positional, Map<String, Value> named) {
  static final Given NOTHING = new Given(List.of(), Map.of());

  /** The arguments by the names of what is called; what is not given is null. */
  Bound bind(String callee, String... parameters) {
    if (positional.size() > parameters.length) {
      throw new Fault(
          "%s takes at most %d arguments, and gets %d"
              .formatted(callee, parameters.length, positional.size()));
    }
    @Nullable Value[] values = new @Nullable Value[parameters.length];
    int used = 0;
    for (int i = 0; i < parameters.length; i++) {
      Value byName = named.get(parameters[i]);
      if (i < positional.size()) {
        values[i] = positional.get(i);
      } else if (byName != null) {
        values[i] = byName;
        used++;
      }
    }
    if (used < named.size()) {
      throw new Fault(
          callee
              + " knows the arguments "
              + List.of(parameters)
              + ", and gets "
              + String.join(", ", named.keySet()));
    }
    return new Bound(callee, parameters, values);
  }

  /** Arguments in the order of the parameters. */
  static final class Bound {
    private final String callee;
    private final String[] parameters;
    private final @Nullable Value[] values;

    private Bound(String callee, String[] parameters, @Nullable Value[] values) {
      this.callee = callee;
      this.parameters = parameters;
      this.values = values;
    }

    boolean has(int index) {
      return values[index] != null;
    }

    Value or(int index, Value otherwise) {
      Value value = values[index];
      return value == null ? otherwise : value;
    }

    Value require(int index) {
      Value value = values[index];
      if (value == null) {
        throw new Fault(callee + " needs the argument '" + parameters[index] + "'");
      }
      return value;
    }

    boolean truth(int index, boolean otherwise) {
      Value value = values[index];
      return value == null ? otherwise : Operators.truth(value);
    }

    int number(int index, int otherwise) {
      Value value = values[index];
      if (value == null) {
        return otherwise;
      }
      return Math.clamp(Operators.whole(value, callee), Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    String text(int index, String otherwise) {
      Value value = values[index];
      return value == null ? otherwise : asText(index, value);
    }

    /** The argument's text; null where it is not given or {@code None}. */
    @Nullable String textOrNull(int index) {
      Value value = values[index];
      return value == null || value instanceof Value.None ? null : asText(index, value);
    }

    String text(int index) {
      return asText(index, require(index));
    }

    private String asText(int index, Value value) {
      if (value instanceof Value.Text text) {
        return text.text();
      }
      throw new Fault(
          "%s needs a text as its argument '%s', and gets %s"
              .formatted(callee, parameters[index], Operators.kind(value)));
    }
  }
}
