package dev.duoka.data.jinja;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The functions that every template knows: Jinja's, and those that transformers add. */
final class Globals {
  /** As in Jinja's sandbox. */
  private static final int MAX_RANGE = 100_000;

  /** By name. */
  static final Map<String, Value> ALL = all();

  private Globals() {}

  private static Map<String, Value> all() {
    Map<String, Value> all = new HashMap<>();
    for (Builtin function :
        List.of(
            Builtin.of("range", (run, given) -> range(run, given)),
            Builtin.of("dict", (run, given) -> new Value.Dict(entries(given))),
            Builtin.of("namespace", (run, given) -> namespace(given)),
            Builtin.of(
                "raise_exception",
                (run, given) -> {
                  Value message = given.bind("raise_exception", "message").require(0);
                  throw new Fault("the template refuses it: " + PythonText.of(run, message));
                }),
            Builtin.of(
                "strftime_now",
                (run, given) ->
                    run.text(
                        Strftime.format(
                            run.now(), given.bind("strftime_now", "format").text(0)))))) {
      all.put(function.name(), function);
    }
    return Map.copyOf(all);
  }

  private static Value range(Run run, Given given) {
    Given.Bound bound = given.bind("range", "start", "stop", "step");
    long first = bound.has(1) ? Operators.whole(bound.require(0), "range") : 0;
    long end = Operators.whole(bound.require(bound.has(1) ? 1 : 0), "range");
    long step = bound.has(2) ? Operators.whole(bound.require(2), "range") : 1;
    if (step == 0) {
      throw new Fault("the step of a range is zero");
    }
    List<Value> numbers = new ArrayList<>();
    for (long i = first; step > 0 ? i < end : i > end; i = Math.addExact(i, step)) {
      if (numbers.size() == MAX_RANGE) {
        throw new Fault("a range has more than " + MAX_RANGE + " numbers, the limit of ranges");
      }
      numbers.add(Value.of(i));
    }
    return Value.list(run.items(numbers));
  }

  private static Map<Value, Value> entries(Given given) {
    Map<Value, Value> entries = new LinkedHashMap<>();
    if (given.positional().size() > 1) {
      throw new Fault("dict takes one value and names");
    }
    if (!given.positional().isEmpty()) {
      if (!(given.positional().getFirst() instanceof Value.Dict first)) {
        throw new Fault("dict takes a dict and names");
      }
      entries.putAll(first.entries());
    }
    given.named().forEach((name, value) -> entries.put(Value.of(name), value));
    return entries;
  }

  private static Value namespace(Given given) {
    Map<String, Value> fields = new LinkedHashMap<>();
    entries(given)
        .forEach(
            (key, value) -> {
              if (key instanceof Value.Text name) {
                fields.put(name.text(), value);
              }
            });
    return new Value.Namespace(fields);
  }
}
