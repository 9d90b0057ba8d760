package dev.duoka.data.jinja;

import dev.duoka.data.jinja.Value.Bool;
import dev.duoka.data.jinja.Value.Dict;
import dev.duoka.data.jinja.Value.Int;
import dev.duoka.data.jinja.Value.None;
import dev.duoka.data.jinja.Value.Real;
import dev.duoka.data.jinja.Value.Sequence;
import dev.duoka.data.jinja.Value.Text;
import dev.duoka.data.jinja.Value.Undefined;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;

/** Values as Python prints them. */
final class PythonText {
  private PythonText() {}

  /** {@code str(value)}. */
  static String of(Run run, Value value) {
    return switch (value) {
      case Text text -> text.text();
      case Undefined _ -> "";
      case Int number -> Long.toString(number.number());
      case Real number -> real(number.number());
      case Bool bool -> bool.truth() ? "True" : "False";
      case None _ -> "None";
      case Sequence _, Dict _, Value.Namespace _, Value.Function _, Value.Loop _ -> {
        StringBuilder out = new StringBuilder();
        write(run, value, out);
        yield out.toString();
      }
    };
  }

  /** {@code repr(value)}, added to {@code out}. */
  private static void write(Run run, Value value, StringBuilder out) {
    run.step();
    run.checkLength(out.length());
    switch (value) {
      case Text text -> quote(text.text(), out);
      case Undefined _ -> out.append("Undefined");
      case Int _, Real _, Bool _, None _ -> out.append(of(run, value));
      case Sequence items -> sequence(run, items, out);
      case Dict dict -> {
        out.append('{');
        String between = "";
        for (Map.Entry<Value, Value> entry : dict.entries().entrySet()) {
          out.append(between);
          write(run, entry.getKey(), out);
          out.append(": ");
          write(run, entry.getValue(), out);
          between = ", ";
        }
        out.append('}');
      }
      case Value.Namespace _, Value.Function _, Value.Loop _ ->
          throw new Fault("a " + Operators.kind(value) + " has no text");
    }
  }

  private static void sequence(Run run, Sequence items, StringBuilder out) {
    String open =
        switch (items.kind()) {
          case LIST -> "[";
          case TUPLE -> "(";
          case VIEW, GENERATOR ->
              throw new Fault(
                  "a " + Operators.kind(items) + " has no text; 'list' makes a list of it");
        };
    out.append(open);
    List<Value> all = items.items();
    String between = "";
    for (Value item : all) {
      out.append(between);
      write(run, item, out);
      between = ", ";
    }
    boolean tuple = items.kind() == Sequence.Kind.TUPLE;
    out.append(tuple && all.size() == 1 ? "," : "").append(tuple ? ")" : "]");
  }

  /** The shortest digits, as Python writes them: with an exponent below 1e-4 and from 1e16 on. */
  static String real(double number) {
    if (Double.isNaN(number)) {
      return "nan";
    }
    if (Double.isInfinite(number)) {
      return number > 0 ? "inf" : "-inf";
    }
    if (number == 0) {
      return 1 / number < 0 ? "-0.0" : "0.0";
    }
    BigDecimal digits = new BigDecimal(Double.toString(number)).stripTrailingZeros();
    int exponent = digits.precision() - digits.scale() - 1;
    if (exponent >= -4 && exponent < 16) {
      String plain = digits.toPlainString();
      return plain.contains(".") ? plain : plain + ".0";
    }
    String unscaled = digits.unscaledValue().abs().toString();
    return (number < 0 ? "-" : "")
        + unscaled.charAt(0)
        + (unscaled.length() > 1 ? "." + unscaled.substring(1) : "")
        + "e%s%02d".formatted(exponent < 0 ? "-" : "+", Math.abs(exponent));
  }

  private static void quote(String text, StringBuilder out) {
    char mark = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    out.append(mark);
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\\' -> out.append("\\\\");
                default -> {
                  if (c == mark) {
                    out.append('\\').append(mark);
                  } else if (c == ' ' || isPrintable(c)) {
                    out.appendCodePoint(c);
                  } else {
                    out.append(
                        (c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x").formatted(c));
                  }
                }
              }
            });
    out.append(mark);
  }

  private static boolean isPrintable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SPACE_SEPARATOR ->
          false;
      default -> true;
    };
  }
}
