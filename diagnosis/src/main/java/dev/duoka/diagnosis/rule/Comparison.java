package dev.duoka.diagnosis.rule;

import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A condition on numbers that a line holds: {@code reserved > 0.5 * size}, {@code reserved >
 * allocated + size}. An operand is a name of a group or a number; sizes such as {@code 1.5 GiB} are
 * compared in bytes.
 *
 * @param left an operand
 * @param operator one of {@code < > = !}, the last for "differs"
 * @param factor multiplies the right operand
 * @param right an operand
 * @param added an operand that is added to the right side; empty for none
 */
public record Comparison(String left, char operator, double factor, String right, String added) {
  private static final Pattern FORM =
      Pattern.compile("([\\w.]+) ([<>=!]) (?:([\\d.]+) \\* )?([\\w.]+)(?: \\+ ([\\w.]+))?");
  private static final Pattern SIZE =
      Pattern.compile(
          "(-?\\d[\\d,]*(?:\\.\\d+)?)\\s*([KMGT]?)(i?B|bytes)?", Pattern.CASE_INSENSITIVE);

  /** Reads the text form. */
  public static Comparison of(String text) {
    Matcher m = FORM.matcher(text);
    if (!m.matches()) {
      throw new IllegalArgumentException("not a comparison: " + text);
    }
    double factor = m.group(3) == null ? 1 : Double.parseDouble(m.group(3));
    String added = m.group(5) == null ? "" : m.group(5);
    return new Comparison(m.group(1), m.group(2).charAt(0), factor, m.group(4), added);
  }

  /** Whether it holds; false where a group is missing or is no number. */
  public boolean holds(Map<String, String> values) {
    OptionalDouble a = value(left, values);
    OptionalDouble b = value(right, values);
    OptionalDouble c = added.isEmpty() ? OptionalDouble.of(0) : value(added, values);
    if (a.isEmpty() || b.isEmpty() || c.isEmpty()) {
      return false;
    }
    int order = Double.compare(a.getAsDouble(), factor * b.getAsDouble() + c.getAsDouble());
    return switch (operator) {
      case '<' -> order < 0;
      case '>' -> order > 0;
      case '=' -> order == 0;
      default -> order != 0;
    };
  }

  private static OptionalDouble value(String operand, Map<String, String> values) {
    boolean literal = Character.isDigit(operand.charAt(0));
    String text = literal ? operand : values.get(operand);
    if (text == null) {
      return OptionalDouble.empty();
    }
    Matcher m = SIZE.matcher(text.strip());
    if (!m.matches()) {
      return OptionalDouble.empty();
    }
    int exponent =
        " KMGT".indexOf(m.group(2).isEmpty() ? " " : m.group(2).toUpperCase(Locale.ROOT));
    double number = Double.parseDouble(m.group(1).replace(",", ""));
    return OptionalDouble.of(number * Math.pow(1024, exponent));
  }
}
