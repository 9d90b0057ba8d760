package dev.duoka.data.jinja;

import dev.duoka.data.jinja.Value.Sequence;
import dev.duoka.data.jinja.Value.Text;
import java.util.ArrayList;
import java.util.List;

/** The operators between two values. */
enum Arithmetic {
  ADD("+"),
  SUBTRACT("-"),
  MULTIPLY("*"),
  DIVIDE("/"),
  FLOOR_DIVIDE("//"),
  REMAINDER("%"),
  POWER("**");

  private final String sign;

  Arithmetic(String sign) {
    this.sign = sign;
  }

  Value of(Run run, Value a, Value b) {
    Operators.refuseUndefined(a);
    Operators.refuseUndefined(b);
    if (Operators.isNumber(a) && Operators.isNumber(b)) {
      try {
        return a instanceof Value.Real || b instanceof Value.Real || this == DIVIDE
            ? real(Operators.real(a), Operators.real(b))
            : whole(Operators.whole(a, sign), Operators.whole(b, sign));
      } catch (ArithmeticException _) {
        throw new Fault("the result of " + sign + " has more than 64 bits");
      }
    }
    if (this == ADD) {
      if (a instanceof Text x && b instanceof Text y) {
        return run.text(x.text(), y.text());
      }
      if (a instanceof Sequence x && b instanceof Sequence y && x.kind() == y.kind()) {
        List<Value> items = new ArrayList<>(x.items());
        items.addAll(y.items());
        return new Sequence(run.items(items), x.kind());
      }
    }
    if (this == MULTIPLY) {
      if (a instanceof Text || a instanceof Sequence) {
        return repeat(run, a, Operators.whole(b, sign));
      }
      if (b instanceof Text || b instanceof Sequence) {
        return repeat(run, b, Operators.whole(a, sign));
      }
    }
    if (this == REMAINDER && a instanceof Text format) {
      List<Value> values =
          b instanceof Sequence tuple && tuple.kind() == Sequence.Kind.TUPLE
              ? tuple.items()
              : List.of(b);
      return run.text(Formatting.percent(run, format.text(), values));
    }
    throw new Fault(
        "%s cannot be used between %s and %s"
            .formatted(sign, Operators.kind(a), Operators.kind(b)));
  }

  private static Value repeat(Run run, Value value, long times) {
    long count = Math.max(0, times);
    if (value instanceof Text text) {
      run.checkLength(Math.multiplyExact(Math.min(count, 1L << 31), (long) text.text().length()));
      return run.text(text.text().isEmpty() ? "" : text.text().repeat((int) count));
    }
    Sequence items = (Sequence) value;
    List<Value> once = items.items();
    run.checkLength(Math.multiplyExact(Math.min(count, 1L << 31), (long) once.size()));
    List<Value> all = new ArrayList<>();
    for (long i = 0; i < count && !once.isEmpty(); i++) {
      all.addAll(once);
    }
    return new Sequence(run.items(all), items.kind());
  }

  private Value whole(long a, long b) {
    return switch (this) {
      case ADD -> Value.of(Math.addExact(a, b));
      case SUBTRACT -> Value.of(Math.subtractExact(a, b));
      case MULTIPLY -> Value.of(Math.multiplyExact(a, b));
      case FLOOR_DIVIDE -> Value.of(Math.floorDivExact(a, divisor(b)));
      case REMAINDER -> Value.of(Math.floorMod(a, divisor(b)));
      case POWER ->
          b < 0 ? new Value.Real(Math.pow((double) a, (double) b)) : Value.of(power(a, b));
      case DIVIDE -> throw new IllegalStateException("/ is for floating-point numbers");
    };
  }

  private Value real(double a, double b) {
    return new Value.Real(
        switch (this) {
          case ADD -> a + b;
          case SUBTRACT -> a - b;
          case MULTIPLY -> a * b;
          case DIVIDE -> a / divisor(b);
          case FLOOR_DIVIDE -> Math.floor(a / divisor(b));
          case REMAINDER -> a - Math.floor(a / divisor(b)) * b;
          case POWER -> Math.pow(a, b);
        });
  }

  private static long power(long base, long exponent) {
    if (base == 0 || base == 1 || base == -1) {
      return exponent == 0 ? 1 : base == -1 && exponent % 2 == 0 ? 1 : base;
    }
    long result = 1;
    for (long i = 0; i < exponent; i++) {
      result = Math.multiplyExact(result, base);
    }
    return result;
  }

  private static long divisor(long b) {
    if (b == 0) {
      throw new Fault("a number is divided by zero");
    }
    return b;
  }

  private static double divisor(double b) {
    if (b == 0) {
      throw new Fault("a number is divided by zero");
    }
    return b;
  }
}
