package dev.duoka.cli;

import dev.duoka.base.NearestName;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/** What is wrong with the value of an option, and which values are valid. */
final class InvalidValue {
  private InvalidValue() {}

  /** One sentence with option, value and what is valid; empty for types that take any text. */
  static Optional<String> of(ArgSpec argument, String value) {
    Class<?> type = argument.auxiliaryTypes().length == 0 ? argument.type() : element(argument);
    return valid(argument, type, value).map(valid -> name(argument) + " '" + value + "'" + valid);
  }

  /** One sentence for a value that is no pair where the option takes pairs. */
  static String noPair(ArgSpec argument, String value) {
    return name(argument) + " wants " + argument.paramLabel() + ", not '" + value + "'.";
  }

  /** Of a list of values the type of one, of a map that of what is behind the equals sign. */
  private static Class<?> element(ArgSpec argument) {
    Class<?>[] types = argument.auxiliaryTypes();
    return types[types.length - 1];
  }

  private static Optional<String> valid(ArgSpec argument, Class<?> type, String value) {
    if (type == int.class || type == Integer.class) {
      return Optional.of(whole(value, "2147483647"));
    }
    if (type == long.class || type == Long.class) {
      return Optional.of(whole(value, "9223372036854775807"));
    }
    if (type == double.class || type == Double.class) {
      return Optional.of(" is no number. Write it like 20000, 0.5 or 2e4.");
    }
    if (type.isEnum()) {
      List<String> names =
          constants(argument, type).map(name -> name.toLowerCase(Locale.ROOT)).toList();
      return Optional.of(" is not known. " + NearestName.hint(value, names));
    }
    return Optional.empty();
  }

  /** Those that the option takes, where it says so, else all. */
  private static Stream<String> constants(ArgSpec argument, Class<?> type) {
    Iterable<String> taken = argument.completionCandidates();
    return taken == null
        ? Arrays.stream(type.getEnumConstants()).map(Object::toString)
        : StreamSupport.stream(taken.spliterator(), false);
  }

  private static String whole(String value, String most) {
    return value.strip().matches("[+-]?\\d+")
        ? " is too large. The largest is " + most + "."
        : " is no whole number. Write it in digits alone, like 4096.";
  }

  private static String name(ArgSpec argument) {
    return argument instanceof OptionSpec option ? option.longestName() : argument.paramLabel();
  }
}
