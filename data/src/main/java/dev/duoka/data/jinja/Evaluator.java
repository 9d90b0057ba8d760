package dev.duoka.data.jinja;

import dev.duoka.data.jinja.Expression.Comparison;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Computes expressions. */
final class Evaluator {
  private final Run run;

  Evaluator(Run run) {
    this.run = run;
  }

  Value value(Expression expression, Bindings scope) {
    run.enter(expression.place());
    Value value = compute(expression, scope);
    run.leave();
    return value;
  }

  private Value compute(Expression expression, Bindings scope) {
    return switch (expression) {
      case Expression.Literal literal -> literal.value();
      case Expression.Name name -> scope.get(name.name());
      case Expression.Items items ->
          new Value.Sequence(
              values(items.items(), scope),
              items.tuple() ? Value.Sequence.Kind.TUPLE : Value.Sequence.Kind.LIST);
      case Expression.Entries entries -> entries(entries, scope);
      case Expression.Attribute attribute -> {
        Value of = value(attribute.of(), scope);
        run.at(attribute.place());
        yield Access.attribute(of, attribute.name());
      }
      case Expression.Item item -> {
        Value of = value(item.of(), scope);
        Value index = value(item.index(), scope);
        run.at(item.place());
        yield Access.item(of, index);
      }
      case Expression.Slice slice -> {
        Value of = value(slice.of(), scope);
        Value from = optional(slice.from(), scope);
        Value to = optional(slice.to(), scope);
        Value step = optional(slice.step(), scope);
        run.at(slice.place());
        yield Access.slice(run, of, from, to, step);
      }
      case Expression.Call call -> call(call, given(call.arguments(), scope), scope);
      case Expression.Filtered filtered -> filtered(filtered, value(filtered.of(), scope), scope);
      case Expression.Tested tested -> {
        Value of = value(tested.of(), scope);
        Given given = given(tested.arguments(), scope);
        run.at(tested.place());
        yield Value.of(Predicates.named(tested.name()).holds(run, of, given));
      }
      case Expression.Not not -> Value.of(!Operators.truth(value(not.of(), scope)));
      case Expression.Signed signed -> {
        Value of = value(signed.of(), scope);
        run.at(signed.place());
        yield signed.minus() ? negated(of) : of;
      }
      case Expression.Logic logic -> {
        Value left = value(logic.left(), scope);
        yield Operators.truth(left) == logic.and() ? value(logic.right(), scope) : left;
      }
      case Expression.Computed computed -> {
        Value left = value(computed.left(), scope);
        Value right = value(computed.right(), scope);
        run.at(computed.place());
        yield computed.operator().of(run, left, right);
      }
      case Expression.Joined joined -> {
        StringBuilder text = new StringBuilder();
        for (Expression part : joined.parts()) {
          text.append(PythonText.of(run, value(part, scope)));
          run.checkLength(text.length());
        }
        yield run.text(text.toString());
      }
      case Expression.Compared compared -> Value.of(compared(compared, scope));
      case Expression.Conditional conditional -> {
        boolean holds = Operators.truth(value(conditional.test(), scope));
        Expression chosen = holds ? conditional.then() : conditional.otherwise();
        yield chosen == null
            ? new Value.Undefined("an 'if' without 'else' has no value")
            : value(chosen, scope);
      }
    };
  }

  private Value negated(Value value) {
    return value instanceof Value.Real real
        ? new Value.Real(-real.number())
        : Arithmetic.SUBTRACT.of(run, Value.of(0), value);
  }

  private @Nullable Value optional(@Nullable Expression expression, Bindings scope) {
    return expression == null ? null : value(expression, scope);
  }

  private List<Value> values(List<Expression> expressions, Bindings scope) {
    List<Value> values = new ArrayList<>();
    for (Expression expression : expressions) {
      values.add(value(expression, scope));
    }
    return values;
  }

  private Value entries(Expression.Entries entries, Bindings scope) {
    Map<Value, Value> map = new LinkedHashMap<>();
    for (int i = 0; i < entries.keys().size(); i++) {
      Value key = value(entries.keys().get(i), scope);
      run.at(entries.place());
      map.put(Operators.key(key), value(entries.values().get(i), scope));
    }
    return new Value.Dict(map);
  }

  Given given(Expression.Arguments arguments, Bindings scope) {
    Map<String, Value> named = new LinkedHashMap<>();
    for (int i = 0; i < arguments.names().size(); i++) {
      named.put(arguments.names().get(i), value(arguments.named().get(i), scope));
    }
    return new Given(values(arguments.positional(), scope), named);
  }

  Value call(Expression.Call call, Given given, Bindings scope) {
    Value function = value(call.function(), scope);
    run.at(call.place());
    Operators.refuseUndefined(function);
    if (!(function instanceof Value.Function callable)) {
      throw new Fault("a value of kind " + Operators.kind(function) + " cannot be called");
    }
    return callable.call(run, given);
  }

  Value filtered(Expression.Filtered filtered, Value of, Bindings scope) {
    Given given = given(filtered.arguments(), scope);
    run.at(filtered.place());
    return Filters.named(filtered.name()).apply(run, of, given);
  }

  private boolean compared(Expression.Compared compared, Bindings scope) {
    Value left = value(compared.first(), scope);
    for (int i = 0; i < compared.operators().size(); i++) {
      Value right = value(compared.others().get(i), scope);
      run.at(compared.place());
      if (!holds(compared.operators().get(i), left, right)) {
        return false;
      }
      left = right;
    }
    return true;
  }

  private boolean holds(Comparison operator, Value left, Value right) {
    return switch (operator) {
      case EQUAL -> Operators.equal(left, right);
      case UNEQUAL -> !Operators.equal(left, right);
      case LESS -> Operators.compare(left, right) < 0;
      case LESS_OR_EQUAL -> Operators.compare(left, right) <= 0;
      case GREATER -> Operators.compare(left, right) > 0;
      case GREATER_OR_EQUAL -> Operators.compare(left, right) >= 0;
      case IN -> Access.contains(run, right, left);
      case NOT_IN -> !Access.contains(run, right, left);
    };
  }
}
