package dev.duoka.data.jinja;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Names and their values; what is not here is looked for outside. */
final class Scope {
  private final @Nullable Scope outer;
  private final Map<String, Value> values = new HashMap<>();

  private Scope(@Nullable Scope outer) {
    this.outer = outer;
  }

  /** The outermost: the variables of the rendering over the functions that all know. */
  static Scope of(Map<String, Value> variables) {
    Scope globals = new Scope(null);
    globals.values.putAll(Globals.ALL);
    Scope scope = globals.inner();
    scope.values.putAll(variables);
    return scope;
  }

  Scope inner() {
    return new Scope(this);
  }

  void set(String name, Value value) {
    values.put(name, value);
  }

  Value get(String name) {
    for (Scope scope = this; scope != null; scope = scope.outer) {
      Value value = scope.values.get(name);
      if (value != null) {
        return value;
      }
    }
    return new Value.Undefined("'" + name + "' is not defined");
  }
}
