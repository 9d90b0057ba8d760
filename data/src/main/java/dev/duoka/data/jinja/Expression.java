package dev.duoka.data.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What has a value, and where it stands. */
sealed interface Expression {
  /** Where it stands. */
  Place place();

  /** A number, a text, true, false or none. */
  record Literal(Place place, Value value) implements Expression {}

  /** A variable. */
  record Name(Place place, String name) implements Expression {}

  /** {@code [a, b]} or {@code (a, b)}. */
  record Items(Place place, List<Expression> items, boolean tuple) implements Expression {}

  /** {@code {a: b}}. */
  record Entries(Place place, List<Expression> keys, List<Expression> values)
      implements Expression {}

  /** {@code of.name}. */
  record Attribute(Place place, Expression of, String name) implements Expression {}

  /** {@code of[index]}. */
  record Item(Place place, Expression of, Expression index) implements Expression {}

  /** {@code of[from:to:step]}. */
  record Slice(
      Place place,
      Expression of,
      @Nullable Expression from,
      @Nullable Expression to,
      @Nullable Expression step)
      implements Expression {}

  /** Arguments of a call, a filter or a test. */
  record Arguments(List<Expression> positional, List<String> names, List<Expression> named) {
    static final Arguments NONE = new Arguments(List.of(), List.of(), List.of());
  }

  /** {@code function(arguments)}. */
  record Call(Place place, Expression function, Arguments arguments) implements Expression {}

  /** {@code of | name(arguments)}. */
  record Filtered(Place place, Expression of, String name, Arguments arguments)
      implements Expression {}

  /** {@code of is name(arguments)}. */
  record Tested(Place place, Expression of, String name, Arguments arguments)
      implements Expression {}

  /** {@code not of}. */
  record Not(Place place, Expression of) implements Expression {}

  /** {@code -of} or {@code +of}. */
  record Signed(Place place, Expression of, boolean minus) implements Expression {}

  /** {@code left and right}, or {@code or}: the value of one of the two. */
  record Logic(Place place, Expression left, Expression right, boolean and) implements Expression {}

  /** Two values and an operator. */
  record Computed(Place place, Arithmetic operator, Expression left, Expression right)
      implements Expression {}

  /** {@code a ~ b ~ c}. */
  record Joined(Place place, List<Expression> parts) implements Expression {}

  /** {@code a < b < c}: every neighbour in that relation. */
  record Compared(
      Place place, Expression first, List<Comparison> operators, List<Expression> others)
      implements Expression {}

  /** {@code then if test else otherwise}. */
  record Conditional(Place place, Expression test, Expression then, @Nullable Expression otherwise)
      implements Expression {}

  /** How two values are compared. */
  enum Comparison {
    EQUAL,
    UNEQUAL,
    LESS,
    LESS_OR_EQUAL,
    GREATER,
    GREATER_OR_EQUAL,
    IN,
    NOT_IN
  }
}
