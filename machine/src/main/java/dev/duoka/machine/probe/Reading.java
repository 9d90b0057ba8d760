package dev.duoka.machine.probe;

import java.util.Optional;
import java.util.function.Function;

/**
 * A fact that may not be readable: its value, or why there is none. Never a guessed default.
 *
 * @param <T> the type of the value
 */
public sealed interface Reading<T> {
  /** The value. */
  record Known<T>(T value) implements Reading<T> {
    @Override
    public String toString() {
      return value.toString();
    }
  }

  /**
   * There is no value.
   *
   * @param why what was tried, or what the source says instead, without a final period
   */
  record Unknown<T>(String why) implements Reading<T> {
    @Override
    public String toString() {
      return "unknown (" + why + ")";
    }
  }

  /** A value. */
  static <T> Reading<T> of(T value) {
    return new Known<>(value);
  }

  /** No value. */
  static <T> Reading<T> unknown(String why) {
    return new Unknown<>(why);
  }

  /** The value of an optional, or the reason. */
  static <T> Reading<T> of(Optional<T> value, String why) {
    return value.<Reading<T>>map(Known::new).orElseGet(() -> new Unknown<>(why));
  }

  /** The value, for those who need no reason. */
  default Optional<T> optional() {
    return switch (this) {
      case Known<T>(T value) -> Optional.of(value);
      case Unknown<T> _ -> Optional.empty();
    };
  }

  /** Why there is no value; empty when there is one. */
  default String why() {
    return switch (this) {
      case Known<T> _ -> "";
      case Unknown<T>(String why) -> why;
    };
  }

  /** What a function makes of the value, or the same reason. */
  default <R> Reading<R> map(Function<T, R> function) {
    return switch (this) {
      case Known<T>(T value) -> new Known<>(function.apply(value));
      case Unknown<T>(String why) -> new Unknown<>(why);
    };
  }

  /** This reading if it is known, else the other. */
  default Reading<T> or(Reading<T> other) {
    return this instanceof Known<T> ? this : other;
  }
}
