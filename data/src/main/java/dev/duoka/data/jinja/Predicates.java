package dev.duoka.data.jinja;

import dev.duoka.base.NearestName;
import dev.duoka.data.jinja.Value.Bool;
import dev.duoka.data.jinja.Value.Dict;
import dev.duoka.data.jinja.Value.Int;
import dev.duoka.data.jinja.Value.Real;
import dev.duoka.data.jinja.Value.Sequence;
import dev.duoka.data.jinja.Value.Text;
import dev.duoka.data.jinja.Value.Undefined;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiPredicate;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What stands behind {@code is}: Jinja's tests. */
final class Predicates {
  /** One test. */
  @FunctionalInterface
  interface Test {
    /** Whether it holds for a value. */
    boolean holds(Run run, Value value, Given given);
  }

  private static final Map<String, Test> ALL = new HashMap<>();

  static {
    one("defined", value -> !(value instanceof Undefined));
    one("undefined", value -> value instanceof Undefined);
    one("none", value -> value instanceof Value.None);
    one("string", value -> value instanceof Text);
    one("mapping", value -> value instanceof Dict);
    one("number", Operators::isNumber);
    one("integer", value -> value instanceof Int);
    one("float", value -> value instanceof Real);
    one("boolean", value -> value instanceof Bool);
    one("true", value -> value instanceof Bool bool && bool.truth());
    one("false", value -> value instanceof Bool bool && !bool.truth());
    one("callable", value -> value instanceof Value.Function);
    one("iterable", Predicates::isIterable);
    one("sequence", Predicates::isSequence);
    one("even", value -> Operators.whole(value, "'even'") % 2 == 0);
    one("odd", value -> Operators.whole(value, "'odd'") % 2 != 0);
    one("upper", value -> value instanceof Text text && TextMethods.hasCase(text.text(), true));
    one("lower", value -> value instanceof Text text && TextMethods.hasCase(text.text(), false));
    one("escaped", value -> false);
    for (String name : List.of("eq", "equalto", "==")) {
      two(name, Operators::equal);
    }
    two("ne", (a, b) -> !Operators.equal(a, b));
    two("!=", (a, b) -> !Operators.equal(a, b));
    for (String name : List.of("lt", "lessthan", "<")) {
      two(name, (a, b) -> Operators.compare(a, b) < 0);
    }
    for (String name : List.of("gt", "greaterthan", ">")) {
      two(name, (a, b) -> Operators.compare(a, b) > 0);
    }
    for (String name : List.of("le", "<=")) {
      two(name, (a, b) -> Operators.compare(a, b) <= 0);
    }
    for (String name : List.of("ge", ">=")) {
      two(name, (a, b) -> Operators.compare(a, b) >= 0);
    }
    two("sameas", Predicates::isSame);
    two("divisibleby", Predicates::divides);
    ALL.put(
        "in",
        (run, value, given) -> Access.contains(run, given.bind("in", "seq").require(0), value));
    ALL.put("filter", (run, value, given) -> value instanceof Text name && isFilter(name.text()));
    ALL.put("test", (run, value, given) -> value instanceof Text t && ALL.containsKey(t.text()));
  }

  private Predicates() {}

  /** The test of that name. */
  static Test named(String name) {
    Test test = ALL.get(name);
    if (test == null) {
      throw unknown(null, name);
    }
    return test;
  }

  /** Refuses a name that there is not, where the template is parsed. */
  static void require(Place place, String name) {
    if (!ALL.containsKey(name)) {
      throw unknown(place, name);
    }
  }

  private static Fault unknown(@Nullable Place place, String name) {
    return new Fault(
        place, "there is no test '" + name + "' here. " + NearestName.hint(name, ALL.keySet()));
  }

  private static void one(String name, Predicate<Value> holds) {
    ALL.put(
        name,
        (run, value, given) -> {
          given.bind(name);
          return holds.test(value);
        });
  }

  private static void two(String name, BiPredicate<Value, Value> holds) {
    ALL.put(name, (run, value, given) -> holds.test(value, given.bind(name, "other").require(0)));
  }

  private static boolean isIterable(Value value) {
    return isSequence(value) || value instanceof Sequence;
  }

  /** In Python all of these have a length and items. */
  private static boolean isSequence(Value value) {
    return value instanceof Text
        || value instanceof Dict
        || value instanceof Undefined
        || (value instanceof Sequence items
            && (items.kind() == Sequence.Kind.LIST || items.kind() == Sequence.Kind.TUPLE));
  }

  @SuppressWarnings("ReferenceEquality") // identity is what the test is about
  private static boolean isSame(Value a, Value b) {
    return a == b || (!(a instanceof Sequence) && !(a instanceof Dict) && a.equals(b));
  }

  private static boolean divides(Value value, Value by) {
    long divisor = Operators.whole(by, "'divisibleby'");
    if (divisor == 0) {
      throw new Fault("a number is divided by zero");
    }
    return Operators.whole(value, "'divisibleby'") % divisor == 0;
  }

  private static boolean isFilter(String name) {
    try {
      Filters.named(name);
      return true;
    } catch (Fault _) {
      return false;
    }
  }
}
