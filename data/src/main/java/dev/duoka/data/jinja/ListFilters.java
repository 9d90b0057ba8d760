package dev.duoka.data.jinja;

import dev.duoka.data.jinja.Value.Dict;
import dev.duoka.data.jinja.Value.Sequence;
import dev.duoka.data.jinja.Value.Text;
import dev.duoka.data.jinja.Value.Undefined;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/** Filters of lists and dictionaries. */
final class ListFilters {
  static final Map<String, Filter> ALL =
      Map.ofEntries(
          Map.entry("first", (run, value, given) -> edge(run, value, given, true)),
          Map.entry("last", (run, value, given) -> edge(run, value, given, false)),
          Map.entry("join", ListFilters::join),
          Map.entry("list", ListFilters::list),
          Map.entry("items", (run, value, given) -> ValueFilters.items(run, value)),
          Map.entry("reverse", ListFilters::reverse),
          Map.entry("sort", ListFilters::sort),
          Map.entry("dictsort", ListFilters::dictsort),
          Map.entry("unique", ListFilters::unique),
          Map.entry("groupby", ListFilters::groupby),
          Map.entry("sum", ListFilters::sum),
          Map.entry("min", (run, value, given) -> extreme(run, value, given, -1)),
          Map.entry("max", (run, value, given) -> extreme(run, value, given, 1)),
          Map.entry("batch", ListFilters::batch),
          Map.entry("slice", ListFilters::columns));

  private ListFilters() {}

  private static Value edge(Run run, Value value, Given given, boolean first) {
    given.bind("'first' or 'last'");
    List<Value> items = Access.items(run, value);
    return items.isEmpty()
        ? new Undefined("the list is empty, so it has no " + (first ? "first" : "last") + " item")
        : first ? items.getFirst() : items.getLast();
  }

  private static Value join(Run run, Value value, Given given) {
    Given.Bound bound = given.bind("join", "d", "attribute");
    UnaryOperator<Value> get = Lists.getter(bound, 1, true);
    String between = PythonText.of(run, bound.or(0, Value.of("")));
    StringBuilder out = new StringBuilder();
    boolean first = true;
    for (Value item : Access.items(run, value)) {
      out.append(first ? "" : between).append(PythonText.of(run, get.apply(item)));
      run.checkLength(out.length());
      first = false;
    }
    return run.text(out.toString());
  }

  private static Value list(Run run, Value value, Given given) {
    given.bind("list");
    return Value.list(Value.copy(Access.items(run, value)));
  }

  private static Value reverse(Run run, Value value, Given given) {
    given.bind("reverse");
    if (value instanceof Text text) {
      return run.text(new StringBuilder(text.text()).reverse().toString());
    }
    List<Value> items = Value.copy(Access.items(run, value));
    Collections.reverse(items);
    return Lists.generator(run, items);
  }

  private static Value sort(Run run, Value value, Given given) {
    Given.Bound bound = given.bind("sort", "reverse", "case_sensitive", "attribute");
    UnaryOperator<Value> get = Lists.getter(bound, 2, bound.truth(1, false));
    return Value.list(sorted(run, Access.items(run, value), get, bound.truth(0, false)));
  }

  private static List<Value> sorted(
      Run run, List<Value> items, UnaryOperator<Value> get, boolean reverse) {
    List<Value> sorted = Value.copy(items);
    Comparator<Value> order =
        (a, b) -> {
          run.step();
          return Operators.compare(get.apply(a), get.apply(b));
        };
    sorted.sort(reverse ? order.reversed() : order);
    return sorted;
  }

  private static Value dictsort(Run run, Value value, Given given) {
    Given.Bound bound = given.bind("dictsort", "case_sensitive", "by", "reverse");
    if (!(value instanceof Dict dict)) {
      throw new Fault("'dictsort' needs a dict, and gets " + Operators.kind(value));
    }
    int by =
        switch (bound.text(1, "key")) {
          case "key" -> 0;
          case "value" -> 1;
          default -> throw new Fault("'dictsort' sorts by 'key' or 'value'");
        };
    Given.Bound position = new Given(List.of(Value.of(by)), Map.of()).bind("dictsort", "attribute");
    UnaryOperator<Value> get = Lists.getter(position, 0, bound.truth(0, false));
    return Value.list(sorted(run, Methods.pairs(dict), get, bound.truth(2, false)));
  }

  private static Value unique(Run run, Value value, Given given) {
    Given.Bound bound = given.bind("unique", "case_sensitive", "attribute");
    UnaryOperator<Value> get = Lists.getter(bound, 1, bound.truth(0, false));
    Map<Value, Value> seen = new LinkedHashMap<>();
    for (Value item : Access.items(run, value)) {
      seen.putIfAbsent(Operators.key(get.apply(item)), item);
    }
    return Lists.generator(run, new ArrayList<>(seen.values()));
  }

  private static Value groupby(Run run, Value value, Given given) {
    Given.Bound bound = given.bind("groupby", "attribute", "default", "case_sensitive");
    UnaryOperator<Value> get =
        Lists.getter(bound.require(0), bound.or(1, new Undefined("an item lacks the attribute")));
    Map<Value, List<Value>> groups = new TreeMap<>(Operators::compare);
    for (Value item : Access.items(run, value)) {
      groups.computeIfAbsent(get.apply(item), _ -> new ArrayList<>()).add(item);
    }
    List<Value> pairs = new ArrayList<>();
    groups.forEach(
        (key, items) ->
            pairs.add(new Sequence(List.of(key, Value.list(items)), Sequence.Kind.TUPLE)));
    return Value.list(run.items(pairs));
  }

  private static Value sum(Run run, Value value, Given given) {
    Given.Bound bound = given.bind("sum", "attribute", "start");
    UnaryOperator<Value> get = Lists.getter(bound, 0, true);
    Value sum = bound.or(1, Value.of(0));
    for (Value item : Access.items(run, value)) {
      sum = Arithmetic.ADD.of(run, sum, get.apply(item));
    }
    return sum;
  }

  private static Value extreme(Run run, Value value, Given given, int sign) {
    Given.Bound bound = given.bind("'min' or 'max'", "case_sensitive", "attribute");
    UnaryOperator<Value> get = Lists.getter(bound, 1, bound.truth(0, false));
    Value best = null;
    for (Value item : Access.items(run, value)) {
      if (best == null || sign * Operators.compare(get.apply(item), get.apply(best)) > 0) {
        best = item;
      }
    }
    return best == null ? new Undefined("an empty list has no least and no greatest item") : best;
  }

  private static Value batch(Run run, Value value, Given given) {
    Given.Bound bound = given.bind("batch", "linecount", "fill_with");
    int size = count(bound, "batch");
    List<Value> items = Access.items(run, value);
    List<Value> batches = new ArrayList<>();
    for (int from = 0; from < items.size(); from += Math.min(size, items.size())) {
      List<Value> part =
          Value.copy(items.subList(from, Math.min(items.size() - from, size) + from));
      while (bound.has(1) && part.size() < Math.min(size, 100_000)) {
        part.add(bound.require(1));
      }
      batches.add(Value.list(run.items(part)));
    }
    return Lists.generator(run, batches);
  }

  /** Jinja's {@code slice}: so many lists of nearly equal length. */
  private static Value columns(Run run, Value value, Given given) {
    Given.Bound bound = given.bind("slice", "slices", "fill_with");
    int slices = count(bound, "slice");
    List<Value> items = Access.items(run, value);
    int each = items.size() / slices;
    int longer = items.size() % slices;
    List<Value> columns = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < slices; i++) {
      int end = from + each + (i < longer ? 1 : 0);
      List<Value> part = Value.copy(items.subList(from, end));
      if (bound.has(1) && i >= longer) {
        part.add(bound.require(1));
      }
      columns.add(Value.list(run.items(part)));
      from = end;
    }
    return Lists.generator(run, columns);
  }

  private static int count(Given.Bound bound, String name) {
    bound.require(0);
    int count = bound.number(0, 1);
    if (count < 1 || count > 100_000) {
      throw new Fault("'" + name + "' needs a number from 1 to 100000");
    }
    return count;
  }
}
