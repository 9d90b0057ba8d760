package dev.duoka.engine.function;

import java.util.function.Consumer;

/**
 * A function in one configuration.
 *
 * @param name says which
 * @param setup adds inputs, parameters and the computation to a bench
 */
record FunctionCase(String name, Consumer<Bench> setup) {
  @Override
  public String toString() {
    return name;
  }
}
