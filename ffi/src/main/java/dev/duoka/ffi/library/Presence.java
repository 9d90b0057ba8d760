package dev.duoka.ffi.library;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.Optional;
import java.util.function.Function;

/**
 * Something that this machine may lack, such as a driver: either it, or why it is not there.
 *
 * @param <T> what it is
 */
public sealed interface Presence<T> {
  /** It is there. */
  record Present<T>(T value) implements Presence<T> {}

  /**
   * It is not there.
   *
   * @param reason what was tried and what came of it, without the final period
   * @param remedy what a user does to get it, one imperative sentence
   */
  record Absent<T>(String reason, String remedy) implements Presence<T> {}

  /** It is there. */
  static <T> Presence<T> of(T value) {
    return new Present<>(value);
  }

  /** It is not there. */
  static <T> Presence<T> absent(String reason, String remedy) {
    return new Absent<>(reason, remedy);
  }

  /** What {@code function} makes of it where it is there, the same reason where it is not. */
  default <R> Presence<R> then(Function<T, Presence<R>> function) {
    return switch (this) {
      case Present<T>(T value) -> function.apply(value);
      case Absent<T>(String reason, String remedy) -> absent(reason, remedy);
    };
  }

  /** It, for callers that do not need the reason. */
  default Optional<T> optional() {
    return switch (this) {
      case Present<T>(T value) -> Optional.of(value);
      case Absent<T> _ -> Optional.empty();
    };
  }

  /**
   * It, for callers that cannot go on without.
   *
   * @throws DuokaException of code {@code NATIVE_LIBRARY} with the reason and the remedy
   */
  default T orElseThrow() {
    return switch (this) {
      case Present<T>(T value) -> value;
      case Absent<T>(String reason, String remedy) ->
          throw new DuokaException(ErrorCode.NATIVE_LIBRARY, reason, remedy);
    };
  }
}
