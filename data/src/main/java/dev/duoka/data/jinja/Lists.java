package dev.duoka.data.jinja;

import dev.duoka.data.jinja.Value.Int;
import dev.duoka.data.jinja.Value.Sequence;
import dev.duoka.data.jinja.Value.Text;
import dev.duoka.data.jinja.Value.Undefined;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;

/** What filters of lists have in common. */
final class Lists {
  private Lists() {}

  static Value generator(Run run, List<Value> items) {
    return new Sequence(run.items(items), Sequence.Kind.GENERATOR);
  }

  /**
   * What an {@code attribute} argument takes out of an item: names or indexes with dots between.
   */
  static UnaryOperator<Value> getter(Value attribute, Value otherwise) {
    return item -> {
      Value found = item;
      if (attribute instanceof Int) {
        found = Access.item(found, attribute);
      } else {
        for (String part : text(attribute).split("\\.", -1)) {
          boolean index = !part.isEmpty() && part.chars().allMatch(c -> c >= '0' && c <= '9');
          found =
              Access.item(
                  found,
                  index && part.length() < 10 ? Value.of(Integer.parseInt(part)) : Value.of(part));
          if (found instanceof Undefined && !(otherwise instanceof Undefined)) {
            return otherwise;
          }
        }
      }
      return found;
    };
  }

  private static String text(Value attribute) {
    if (attribute instanceof Text text) {
      return text.text();
    }
    throw new Fault("an attribute is named by a text, and this is " + Operators.kind(attribute));
  }

  /** As the other, of an argument that may be missing: then the item itself. */
  static UnaryOperator<Value> getter(Given.Bound bound, int index, boolean caseSensitive) {
    UnaryOperator<Value> get =
        bound.or(index, Value.none()) instanceof Value.None
            ? UnaryOperator.identity()
            : getter(bound.require(index), new Undefined("an item lacks the attribute"));
    return caseSensitive ? get : item -> lowered(get.apply(item));
  }

  private static Value lowered(Value value) {
    return value instanceof Text text ? Value.of(text.text().toLowerCase(Locale.ROOT)) : value;
  }
}
