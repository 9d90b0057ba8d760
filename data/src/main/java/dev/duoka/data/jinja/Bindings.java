package dev.duoka.data.jinja;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Names and their values; what is not here is looked for outside. */
final class Bindings {
  private final @Nullable Bindings outer;
  private final Map<String, Value> values = new HashMap<>();

  private Bindings(@Nullable Bindings outer) {
    this.outer = outer;
  }

  /** The outermost: the variables of the rendering over the functions that all know. */
  static Bindings of(Map<String, Value> variables) {
    Bindings globals = new Bindings(null);
    globals.values.putAll(Globals.ALL);
    Bindings scope = globals.inner();
    scope.values.putAll(variables);
    return scope;
  }

  Bindings inner() {
    return new Bindings(this);
  }

  void set(String name, Value value) {
    values.put(name, value);
  }

  Value get(String name) {
    for (Bindings scope = this; scope != null; scope = scope.outer) {
      Value value = scope.values.get(name);
      if (value != null) {
        return value;
      }
    }
    return new Value.Undefined("'" + name + "' is not defined");
  }
}
