package dev.duoka.train.config.binding;

import dev.duoka.base.NearestName;
import dev.duoka.base.UserPath;
import dev.duoka.formats.yaml.YamlTree;
import java.math.BigDecimal;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** Reads a scalar as the type that a field wants, or says what it wants. */
final class ScalarReader {
  // Plain decimal numbers; no unit suffixes, since "64k" is 64 000 to some and 65 536 to others.
  private static final Pattern NUMBER =
      Pattern.compile("[-+]?(?:\\d[\\d_]*(?:\\.[\\d_]*)?|\\.\\d[\\d_]*)(?:[eE][-+]?\\d{1,3})?");
  private static final int LONGEST_NUMBER = 64;

  private final String path;
  private final Problems problems;

  ScalarReader(String path, Problems problems) {
    this.path = path;
    this.problems = problems;
  }

  /** The value, or nothing after adding a problem. */
  Optional<Object> read(YamlTree.Scalar scalar, Class<?> type, String range) {
    if (type == int.class || type == Integer.class) {
      return wholeNumber(scalar, Integer.MIN_VALUE, Integer.MAX_VALUE, range)
          .map(number -> (Object) number.intValue());
    }
    if (type == long.class || type == Long.class) {
      return wholeNumber(scalar, Long.MIN_VALUE, Long.MAX_VALUE, range)
          .map(number -> (Object) number);
    }
    if (type == double.class || type == Double.class) {
      return number(scalar, range);
    }
    if (type == boolean.class || type == Boolean.class) {
      return trueOrFalse(scalar);
    }
    if (scalar.isNull()) {
      return wrong(scalar, "a value");
    }
    if (type == String.class) {
      return Optional.of(scalar.text());
    }
    if (type == Path.class) {
      return path(scalar);
    }
    if (type.isEnum()) {
      return choice(scalar, TextForm.choices(type, range));
    }
    try {
      return Optional.of(TextForm.parse(type, scalar.text()));
    } catch (IllegalArgumentException e) {
      return wrong(scalar, String.valueOf(e.getMessage()));
    }
  }

  private Optional<Long> wholeNumber(
      YamlTree.Scalar scalar, long smallest, long largest, String range) {
    Optional<BigDecimal> number = decimal(scalar);
    if (number.isEmpty()) {
      return wrong(scalar, "a whole number" + inRange(range));
    }
    long value;
    try {
      value = number.get().longValueExact();
    } catch (ArithmeticException e) {
      return wrong(scalar, "a whole number" + inRange(range));
    }
    if (value < smallest || value > largest || !isInRange((double) value, range)) {
      return wrong(scalar, "a whole number" + inRange(range));
    }
    return Optional.of(value);
  }

  private Optional<Object> number(YamlTree.Scalar scalar, String range) {
    Optional<BigDecimal> number = decimal(scalar);
    if (number.isEmpty()) {
      return wrong(scalar, "a number" + inRange(range));
    }
    double value = number.get().doubleValue();
    if (Double.isInfinite(value) || !isInRange(value, range)) {
      return wrong(scalar, "a number" + inRange(range));
    }
    return Optional.of(value);
  }

  private static Optional<BigDecimal> decimal(YamlTree.Scalar scalar) {
    String text = scalar.text();
    if (!scalar.plain() || text.length() > LONGEST_NUMBER || !NUMBER.matcher(text).matches()) {
      return Optional.empty();
    }
    return Optional.of(new BigDecimal(text.replace("_", "")));
  }

  private Optional<Object> trueOrFalse(YamlTree.Scalar scalar) {
    return switch (scalar.plain() ? scalar.text() : "") {
      case "true" -> Optional.of(true);
      case "false" -> Optional.of(false);
      default -> wrong(scalar, "true or false");
    };
  }

  private Optional<Object> path(YamlTree.Scalar scalar) {
    try {
      return scalar.text().isEmpty()
          ? wrong(scalar, "a path")
          : Optional.of(Path.of(UserPath.expand(scalar.text())));
    } catch (InvalidPathException e) {
      return wrong(scalar, "a path");
    }
  }

  private Optional<Object> choice(YamlTree.Scalar scalar, Map<String, Object> choices) {
    Object chosen = choices.get(scalar.text());
    if (chosen != null) {
      return Optional.of(chosen);
    }
    Set<String> names = choices.keySet();
    problems.add(
        scalar.origin(),
        path + " wants one of " + String.join(", ", names) + ", got " + scalar.description(),
        NearestName.of(scalar.text(), names)
            .map(near -> "Did you mean '" + near + "'?")
            .orElse(""));
    return Optional.empty();
  }

  private static boolean isInRange(double value, String range) {
    return range.isEmpty() || Interval.parse(range).contains(value);
  }

  private static String inRange(String range) {
    return range.isEmpty() ? "" : " " + Interval.parse(range).words();
  }

  private <T> Optional<T> wrong(YamlTree.Scalar scalar, String wanted) {
    problems.add(scalar.origin(), path + " wants " + wanted + ", got " + scalar.description(), "");
    return Optional.empty();
  }
}
