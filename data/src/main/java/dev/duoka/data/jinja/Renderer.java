package dev.duoka.data.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs statements and writes what comes of them. */
final class Renderer {
  /** How a body ended. */
  private enum End {
    THROUGH,
    BREAK,
    CONTINUE
  }

  private final Run run;
  private final Evaluator evaluator;
  private final StringBuilder rendered = new StringBuilder();
  private final List<Rendering.Stretch> generated = new ArrayList<>();
  private StringBuilder out = rendered;

  Renderer(Run run) {
    this.run = run;
    this.evaluator = new Evaluator(run);
  }

  Rendering render(List<Statement> template, Bindings scope) {
    run(template, scope);
    return new Rendering(rendered.toString(), List.copyOf(generated));
  }

  private End run(List<Statement> body, Bindings scope) {
    for (Statement statement : body) {
      run.enter(statement.place());
      End end = run(statement, scope);
      run.leave();
      if (end != End.THROUGH) {
        return end;
      }
    }
    return End.THROUGH;
  }

  private End run(Statement statement, Bindings scope) {
    switch (statement) {
      case Statement.Data data -> write(data.text());
      case Statement.Print print -> {
        Value value = evaluator.value(print.value(), scope);
        run.at(print.place());
        write(PythonText.of(run, value));
      }
      case Statement.If branches -> {
        return run(chosen(branches, scope), scope);
      }
      case Statement.For loop -> {
        return loop(loop, scope);
      }
      case Statement.Set set ->
          assign(set.target(), evaluator.value(set.value(), scope), scope, scope);
      case Statement.SetBlock set ->
          assign(set.target(), filtered(set.filters(), set.body(), scope), scope, scope);
      case Statement.Macro macro -> scope.set(macro.name(), function(macro, scope));
      case Statement.CallBlock block -> {
        Given given = evaluator.given(block.call().arguments(), scope);
        Value caller = function(block.caller(), scope);
        write(PythonText.of(run, evaluator.call(block.call(), with(given, caller), scope)));
      }
      case Statement.FilterBlock block ->
          write(PythonText.of(run, filtered(block.filters(), block.body(), scope)));
      case Statement.With with -> {
        Bindings inner = scope.inner();
        for (int i = 0; i < with.targets().size(); i++) {
          assign(with.targets().get(i), evaluator.value(with.values().get(i), scope), inner, inner);
        }
        return run(with.body(), inner);
      }
      case Statement.Generation generation -> {
        int start = out.length();
        End end = run(generation.body(), scope.inner());
        if (out == rendered) {
          generated.add(new Rendering.Stretch(start, out.length()));
        }
        return end;
      }
      case Statement.Break _ -> {
        return End.BREAK;
      }
      case Statement.Continue _ -> {
        return End.CONTINUE;
      }
    }
    return End.THROUGH;
  }

  private void write(String text) {
    run.checkLength((long) out.length() + text.length());
    run.charge(text.length() / Run.CHARACTERS_PER_STEP);
    out.append(text);
  }

  private List<Statement> chosen(Statement.If branches, Bindings scope) {
    for (int i = 0; i < branches.tests().size(); i++) {
      if (Operators.truth(evaluator.value(branches.tests().get(i), scope))) {
        return branches.bodies().get(i);
      }
    }
    return branches.otherwise();
  }

  private End loop(Statement.For loop, Bindings scope) {
    List<Value> items = Access.items(run, evaluator.value(loop.items(), scope));
    Expression test = loop.test();
    if (test != null) {
      List<Value> chosen = new ArrayList<>();
      for (Value item : items) {
        Bindings inner = scope.inner();
        assign(loop.target(), item, inner, inner);
        if (Operators.truth(evaluator.value(test, inner))) {
          chosen.add(item);
        }
      }
      items = chosen;
    }
    if (items.isEmpty()) {
      return run(loop.otherwise(), scope.inner());
    }
    List<Value> seen = new ArrayList<>();
    for (int i = 0; i < items.size(); i++) {
      Bindings inner = scope.inner();
      run.at(loop.place());
      inner.set("loop", new Value.Loop(items, i, seen));
      assign(loop.target(), items.get(i), inner, inner);
      if (run(loop.body(), inner) == End.BREAK) {
        break;
      }
    }
    return End.THROUGH;
  }

  /**
   * @param into where names are set
   * @param from where a namespace is looked for
   */
  private void assign(Expression target, Value value, Bindings into, Bindings from) {
    switch (target) {
      case Expression.Name name -> into.set(name.name(), value);
      case Expression.Attribute(Place place, Expression of, String field) -> {
        run.at(place);
        if (!(evaluator.value(of, from) instanceof Value.Namespace namespace)) {
          throw new Fault("only a namespace has attributes that can be set");
        }
        namespace.set(field, value);
      }
      case Expression.Items items -> {
        List<Value> values = Access.items(run, value);
        if (values.size() != items.items().size()) {
          throw new Fault(
              "%d names are to take %d values".formatted(items.items().size(), values.size()));
        }
        for (int i = 0; i < values.size(); i++) {
          assign(items.items().get(i), values.get(i), into, from);
        }
      }
      default -> throw new Fault(target.place(), "this cannot be set");
    }
  }

  /** What a body writes, for whoever wants it as a value. */
  private String captured(List<Statement> body, Bindings scope) {
    StringBuilder outside = out;
    out = new StringBuilder();
    run(body, scope);
    String text = out.toString();
    out = outside;
    return text;
  }

  private Value filtered(List<Expression.Filtered> filters, List<Statement> body, Bindings scope) {
    Value value = Value.of(captured(body, scope.inner()));
    for (Expression.Filtered filter : filters) {
      value = evaluator.filtered(filter, value, scope);
    }
    return value;
  }

  private static Given with(Given given, Value caller) {
    Map<String, Value> named = new LinkedHashMap<>(given.named());
    named.put("caller", caller);
    return new Given(given.positional(), named);
  }

  private Value.Function function(Statement.Macro macro, Bindings scope) {
    return Builtin.of(macro.name(), (_, given) -> call(macro, scope, given));
  }

  private Value call(Statement.Macro macro, Bindings defined, Given given) {
    List<String> parameters = macro.parameters();
    Bindings scope = defined.inner();
    Map<String, Value> named = new LinkedHashMap<>(given.named());
    Value caller = named.remove("caller");
    if (caller != null) {
      scope.set("caller", caller);
    }
    Given.Bound bound =
        new Given(given.positional(), named)
            .bind("'" + macro.name() + "'", parameters.toArray(String[]::new));
    int without = parameters.size() - macro.defaults().size();
    for (int i = 0; i < parameters.size(); i++) {
      String name = parameters.get(i);
      Value otherwise =
          bound.has(i)
              ? Value.none()
              : i < without
                  ? new Value.Undefined("the parameter '" + name + "' was not given")
                  : evaluator.value(macro.defaults().get(i - without), scope);
      scope.set(name, bound.or(i, otherwise));
    }
    run.enter(macro.place());
    String text = captured(macro.body(), scope);
    run.leave();
    return Value.of(text);
  }
}
