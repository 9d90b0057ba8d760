package dev.duoka.data.jinja;

import dev.duoka.data.jinja.Value.Dict;
import dev.duoka.data.jinja.Value.Int;
import dev.duoka.data.jinja.Value.Real;
import dev.duoka.data.jinja.Value.Text;
import dev.duoka.data.jinja.Value.Undefined;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Map;

/** Filters of single values: numbers, what stands in for nothing, JSON. */
final class ValueFilters {
  static final Map<String, Filter> ALL =
      Map.ofEntries(
          Map.entry("tojson", JsonText::filter),
          Map.entry("default", ValueFilters::otherwise),
          Map.entry("d", ValueFilters::otherwise),
          Map.entry("length", (run, value, given) -> length(value, given)),
          Map.entry("count", (run, value, given) -> length(value, given)),
          Map.entry("int", ValueFilters::whole),
          Map.entry("float", ValueFilters::real),
          Map.entry("abs", ValueFilters::abs),
          Map.entry("round", ValueFilters::round),
          Map.entry(
              "attr",
              (run, value, given) -> Access.attribute(value, given.bind("attr", "name").text(0))));

  private ValueFilters() {}

  private static Value otherwise(Run run, Value value, Given given) {
    Given.Bound bound = given.bind("default", "default_value", "boolean");
    boolean missing =
        value instanceof Undefined || (bound.truth(1, false) && !Operators.truth(value));
    return missing ? bound.or(0, Value.of("")) : value;
  }

  private static Value length(Value value, Given given) {
    given.bind("length");
    return Value.of(Access.length(value));
  }

  private static Value whole(Run run, Value value, Given given) {
    Given.Bound bound = given.bind("int", "default", "base");
    Value otherwise = bound.or(0, Value.of(0));
    int base = bound.number(1, 10);
    if (base < 2 || base > 36) {
      throw new Fault("'int' needs a base from 2 to 36");
    }
    try {
      return switch (value) {
        case Int _ -> value;
        case Value.Bool bool -> Value.of(bool.truth() ? 1 : 0);
        case Real real ->
            Double.isFinite(real.number()) ? Value.of((long) real.number()) : otherwise;
        case Text text -> {
          String digits = TextOps.strip(text.text(), null, true, true).replace("_", "");
          try {
            yield Value.of(Long.parseLong(digits, base));
          } catch (NumberFormatException _) {
            yield Value.of((long) Double.parseDouble(digits));
          }
        }
        default -> otherwise;
      };
    } catch (NumberFormatException _) {
      return otherwise;
    }
  }

  private static Value real(Run run, Value value, Given given) {
    Value otherwise = given.bind("float", "default").or(0, new Real(0));
    try {
      return switch (value) {
        case Text text -> new Real(Double.parseDouble(text.text()));
        case Int _, Real _, Value.Bool _ -> new Real(Operators.real(value));
        default -> otherwise;
      };
    } catch (NumberFormatException _) {
      return otherwise;
    }
  }

  private static Value abs(Run run, Value value, Given given) {
    given.bind("abs");
    return value instanceof Real real
        ? new Real(Math.abs(real.number()))
        : Value.of(Math.absExact(Operators.whole(value, "'abs'")));
  }

  private static Value round(Run run, Value value, Given given) {
    Given.Bound bound = given.bind("round", "precision", "method");
    RoundingMode mode =
        switch (bound.text(1, "common")) {
          case "common" -> RoundingMode.HALF_EVEN;
          case "ceil" -> RoundingMode.CEILING;
          case "floor" -> RoundingMode.FLOOR;
          default -> throw new Fault("'round' knows the methods common, ceil and floor");
        };
    double number = Operators.real(value);
    int precision = Math.clamp(bound.number(0, 0), -300, 300);
    return Double.isFinite(number)
        ? new Real(new BigDecimal(number).setScale(precision, mode).doubleValue())
        : value;
  }

  /** The entries of a dictionary as pairs; nothing of what nobody defined. */
  static Value items(Run run, Value value) {
    return switch (value) {
      case Dict dict -> Lists.generator(run, Methods.pairs(dict));
      case Undefined _ -> Lists.generator(run, java.util.List.of());
      default -> throw new Fault("'items' needs a dict, and gets " + Operators.kind(value));
    };
  }
}
