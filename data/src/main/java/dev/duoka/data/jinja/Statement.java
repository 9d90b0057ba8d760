package dev.duoka.data.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a template does, and where it stands. */
sealed interface Statement {
  /** Where it stands. */
  Place place();

  /** Text that is written as it is. */
  record Data(Place place, String text) implements Statement {}

  /** {@code {{ value }}}. */
  record Print(Place place, Expression value) implements Statement {}

  /** {@code if}, with {@code elif}s and {@code else}: the first of the tests that holds. */
  record If(
      Place place, List<Expression> tests, List<List<Statement>> bodies, List<Statement> otherwise)
      implements Statement {}

  /**
   * {@code for target in items if test}, and {@code else} where no item is left.
   *
   * @param target as in {@link Set}
   */
  record For(
      Place place,
      Expression target,
      Expression items,
      @Nullable Expression test,
      List<Statement> body,
      List<Statement> otherwise)
      implements Statement {}

  /**
   * {@code set target = value}.
   *
   * @param target a name, an attribute of a namespace, or a tuple of those
   */
  record Set(Place place, Expression target, Expression value) implements Statement {}

  /** {@code set target}, a body, {@code endset}; the body goes through the filters. */
  record SetBlock(
      Place place, Expression target, List<Expression.Filtered> filters, List<Statement> body)
      implements Statement {}

  /**
   * {@code macro name(parameters)}.
   *
   * @param defaults of the last parameters
   */
  record Macro(
      Place place,
      String name,
      List<String> parameters,
      List<Expression> defaults,
      List<Statement> body)
      implements Statement {}

  /** {@code call(parameters) macro(...)}: the macro gets the body as {@code caller}. */
  record CallBlock(Place place, Macro caller, Expression.Call call) implements Statement {}

  /** {@code filter name}: the body goes through the filters. */
  record FilterBlock(Place place, List<Expression.Filtered> filters, List<Statement> body)
      implements Statement {}

  /** {@code with a = b}: names for the body alone. */
  record With(Place place, List<Expression> targets, List<Expression> values, List<Statement> body)
      implements Statement {}

  /** {@code generation}: what the assistant says (an extension of transformers). */
  record Generation(Place place, List<Statement> body) implements Statement {}

  /** {@code break}. */
  record Break(Place place) implements Statement {}

  /** {@code continue}. */
  record Continue(Place place) implements Statement {}
}
