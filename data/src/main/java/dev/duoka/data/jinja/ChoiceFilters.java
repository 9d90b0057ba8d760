package dev.duoka.data.jinja;

import dev.duoka.data.jinja.Value.Text;
import dev.duoka.data.jinja.Value.Undefined;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Filters that go through a list with a test or another filter. */
final class ChoiceFilters {
  static final Map<String, Filter> ALL =
      Map.of(
          "select", (run, value, given) -> chosen(run, value, given, false, true),
          "reject", (run, value, given) -> chosen(run, value, given, false, false),
          "selectattr", (run, value, given) -> chosen(run, value, given, true, true),
          "rejectattr", (run, value, given) -> chosen(run, value, given, true, false),
          "map", ChoiceFilters::map);

  private ChoiceFilters() {}

  private static Value chosen(
      Run run, Value value, Given given, boolean byAttribute, boolean wanted) {
    List<Value> arguments = given.positional();
    UnaryOperator<Value> get = UnaryOperator.identity();
    if (byAttribute) {
      if (arguments.isEmpty()) {
        throw new Fault("'selectattr' and 'rejectattr' need an attribute");
      }
      get = Lists.getter(arguments.getFirst(), new Undefined("an item lacks the attribute"));
      arguments = arguments.subList(1, arguments.size());
    }
    String test = arguments.isEmpty() ? "" : name(arguments.getFirst());
    Given rest =
        new Given(
            arguments.isEmpty() ? List.of() : arguments.subList(1, arguments.size()),
            given.named());
    List<Value> chosen = new ArrayList<>();
    for (Value item : Access.items(run, value)) {
      Value tested = get.apply(item);
      boolean holds =
          test.isEmpty()
              ? Operators.truth(tested)
              : Predicates.named(test).holds(run, tested, rest);
      if (holds == wanted) {
        chosen.add(item);
      }
    }
    return Lists.generator(run, chosen);
  }

  private static Value map(Run run, Value value, Given given) {
    List<Value> arguments = given.positional();
    List<Value> mapped = new ArrayList<>();
    if (arguments.isEmpty()) {
      Given.Bound bound = given.bind("map", "attribute", "default");
      UnaryOperator<Value> get =
          Lists.getter(bound.require(0), bound.or(1, new Undefined("an item lacks the attribute")));
      for (Value item : Access.items(run, value)) {
        mapped.add(get.apply(item));
      }
    } else {
      Filter filter = Filters.named(name(arguments.getFirst()));
      Given rest = new Given(arguments.subList(1, arguments.size()), given.named());
      for (Value item : Access.items(run, value)) {
        mapped.add(filter.apply(run, item, rest));
      }
    }
    return Lists.generator(run, mapped);
  }

  private static String name(Value value) {
    if (value instanceof Text text) {
      return text.text();
    }
    throw new Fault("a test or filter is named by a text, and this is " + Operators.kind(value));
  }
}
