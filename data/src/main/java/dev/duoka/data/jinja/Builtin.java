package dev.duoka.data.jinja;

import java.util.function.BiFunction;

/** A function that comes with the language. */
record Builtin(String name, BiFunction<Run, Given, Value> body) implements Value.Function {
  static Builtin of(String name, BiFunction<Run, Given, Value> body) {
    return new Builtin(name, body);
  }

  @Override
  public Value call(Run run, Given given) {
    return body.apply(run, given);
  }
}
