package dev.duoka.data.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Parses a template's statements. */
final class StatementParser {
  private final Tokens tokens;
  private final ExpressionParser expressions;
  private final OperandParser operands;
  private int loops;

  StatementParser(Tokens tokens) {
    this.tokens = tokens;
    this.expressions = new ExpressionParser(tokens);
    this.operands = new OperandParser(tokens, expressions);
  }

  /** All names that the template reads, its own included. */
  Set<String> names() {
    return expressions.names();
  }

  /** The whole template. */
  List<Statement> template() {
    List<Statement> body = body();
    if (tokens.current().kind() != Token.Kind.END) {
      throw tokens.unexpected("the end of the template");
    }
    return body;
  }

  /** Statements up to one of the tags that end or divide a block, whose opening is taken. */
  private List<Statement> body(String... ends) {
    tokens.enter();
    List<Statement> body = new ArrayList<>();
    while (true) {
      Token token = tokens.current();
      switch (token.kind()) {
        case DATA -> body.add(new Statement.Data(token.place(), tokens.take().text()));
        case PRINT_BEGIN -> {
          tokens.take();
          body.add(new Statement.Print(token.place(), expressions.tuple()));
          tokens.expect(Token.Kind.PRINT_END, "'}}'");
        }
        case BLOCK_BEGIN -> {
          tokens.take();
          if (List.of(ends).contains(tokens.current().text())) {
            tokens.leave();
            return body;
          }
          body.add(block());
        }
        default -> {
          if (ends.length > 0) {
            throw tokens.unexpected("'" + ends[ends.length - 1] + "'");
          }
          tokens.leave();
          return body;
        }
      }
    }
  }

  private Statement block() {
    Token name = tokens.expect(Token.Kind.NAME, "a statement");
    Place place = name.place();
    return switch (name.text()) {
      case "if" -> branches(place);
      case "for" -> loop(place);
      case "set" -> set(place);
      case "macro" -> macro(place);
      case "call" -> call(place);
      case "filter" -> {
        List<Expression.Filtered> filters = filters(operands.filter(place, nothing(place)));
        yield new Statement.FilterBlock(place, filters, bodyTo("endfilter"));
      }
      case "with" -> with(place);
      case "generation" -> new Statement.Generation(place, bodyTo("endgeneration"));
      case "break", "continue" -> {
        if (loops == 0) {
          throw new Fault(place, "'" + name.text() + "' stands outside of a loop");
        }
        end();
        yield name.text().equals("break")
            ? new Statement.Break(place)
            : new Statement.Continue(place);
      }
      default ->
          throw new Fault(
              place,
              "'"
                  + name.text()
                  + "' is no statement that chat templates have here; they have if,"
                  + " for, set, macro, call, filter, with, raw, generation, break and continue");
    };
  }

  private void end() {
    tokens.expect(Token.Kind.BLOCK_END, "'%}'");
  }

  /** What stands between this tag's end and the tag of that name, which is taken whole. */
  private List<Statement> bodyTo(String name) {
    end();
    List<Statement> body = body(name);
    tokens.take();
    // An end may repeat the name of what it ends.
    if (tokens.current().kind() == Token.Kind.NAME) {
      tokens.take();
    }
    end();
    return body;
  }

  private Statement branches(Place place) {
    List<Expression> tests = new ArrayList<>();
    List<List<Statement>> bodies = new ArrayList<>();
    List<Statement> otherwise = List.of();
    boolean more = true;
    while (more) {
      tests.add(expressions.tuple());
      end();
      bodies.add(body("elif", "else", "endif"));
      more = tokens.take().isName("elif");
    }
    if (tokens.current().kind() == Token.Kind.BLOCK_END && wasElse()) {
      end();
      otherwise = body("endif");
      tokens.take();
    }
    end();
    return new Statement.If(place, tests, bodies, otherwise);
  }

  private boolean wasElse() {
    return tokens.previous().isName("else");
  }

  private Statement loop(Place place) {
    Expression target = targets();
    tokens.expectName("in");
    Expression items = withoutCondition();
    Expression test = tokens.skipName("if") ? expressions.expression() : null;
    if (tokens.current().isName("recursive")) {
      throw new Fault(tokens.current().place(), "recursive loops are not known here");
    }
    end();
    loops++;
    List<Statement> body = body("else", "endfor");
    loops--;
    List<Statement> otherwise = List.of();
    if (tokens.take().isName("else")) {
      end();
      otherwise = body("endfor");
      tokens.take();
    }
    end();
    return new Statement.For(place, target, items, test, body, otherwise);
  }

  /** What a loop goes through: commas make a tuple, and {@code if} belongs to the loop. */
  private Expression withoutCondition() {
    Place place = tokens.current().place();
    Expression first = expressions.withoutCondition();
    if (!tokens.current().isOperator(",")) {
      return first;
    }
    List<Expression> items = new ArrayList<>(List.of(first));
    while (tokens.skip(",")) {
      items.add(expressions.withoutCondition());
    }
    return new Expression.Items(place, items, true);
  }

  private Expression targets() {
    boolean brackets = tokens.skip("(");
    Expression first = target();
    List<Expression> all = new ArrayList<>(List.of(first));
    while (tokens.skip(",")) {
      all.add(target());
    }
    if (brackets) {
      tokens.expect(")");
    }
    return all.size() == 1 ? first : new Expression.Items(first.place(), all, true);
  }

  private Expression target() {
    Token name = tokens.expect(Token.Kind.NAME, "a name");
    if (Set.of("true", "false", "none", "True", "False", "None").contains(name.text())) {
      throw new Fault(name.place(), "'" + name.text() + "' cannot be set");
    }
    Expression target = new Expression.Name(name.place(), name.text());
    if (tokens.skip(".")) {
      String field = tokens.expect(Token.Kind.NAME, "a name").text();
      target = new Expression.Attribute(name.place(), target, field);
    }
    return target;
  }

  private Statement set(Place place) {
    Expression target = targets();
    if (tokens.skip("=")) {
      Statement set = new Statement.Set(place, target, expressions.tuple());
      end();
      return set;
    }
    List<Expression.Filtered> filters = filters(null);
    return new Statement.SetBlock(place, target, filters, bodyTo("endset"));
  }

  /** Filters in a row, each with its bar, behind a first one. */
  private List<Expression.Filtered> filters(Expression.@Nullable Filtered first) {
    List<Expression.Filtered> filters = new ArrayList<>();
    if (first != null) {
      filters.add(first);
    }
    while (tokens.current().isOperator("|")) {
      Place place = tokens.take().place();
      filters.add(operands.filter(place, nothing(place)));
    }
    return filters;
  }

  /** What a filter of a block gets is the block, not an expression. */
  private static Expression nothing(Place place) {
    return new Expression.Literal(place, Value.of(""));
  }

  private Statement.Macro macro(Place place) {
    String name = tokens.expect(Token.Kind.NAME, "a macro's name").text();
    tokens.expect("(");
    return macro(place, name, "endmacro");
  }

  /** Parameters and body; the opening bracket is taken. */
  private Statement.Macro macro(Place place, String name, String endTag) {
    List<String> parameters = new ArrayList<>();
    List<Expression> defaults = new ArrayList<>();
    parameters(parameters, defaults);
    return new Statement.Macro(place, name, parameters, defaults, macroBody(endTag));
  }

  private List<Statement> macroBody(String endTag) {
    int outside = loops;
    loops = 0;
    List<Statement> body = bodyTo(endTag);
    loops = outside;
    return body;
  }

  private void parameters(List<String> parameters, List<Expression> defaults) {
    while (!tokens.skip(")")) {
      if (!parameters.isEmpty()) {
        tokens.expect(",");
      }
      Token parameter = tokens.expect(Token.Kind.NAME, "a parameter");
      parameters.add(parameter.text());
      if (tokens.skip("=")) {
        defaults.add(expressions.expression());
      } else if (!defaults.isEmpty()) {
        throw new Fault(
            parameter.place(), "a parameter without a default stands behind one with a default");
      }
    }
  }

  private Statement call(Place place) {
    List<String> parameters = new ArrayList<>();
    List<Expression> defaults = new ArrayList<>();
    if (tokens.skip("(")) {
      parameters(parameters, defaults);
    }
    if (!(expressions.expression() instanceof Expression.Call call)) {
      throw new Fault(place, "'call' needs a call of a macro");
    }
    Statement.Macro caller =
        new Statement.Macro(place, "caller", parameters, defaults, macroBody("endcall"));
    return new Statement.CallBlock(place, caller, call);
  }

  private Statement with(Place place) {
    List<Expression> targets = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (tokens.current().kind() != Token.Kind.BLOCK_END) {
      if (!targets.isEmpty()) {
        tokens.expect(",");
      }
      targets.add(target());
      tokens.expect("=");
      values.add(expressions.expression());
    }
    return new Statement.With(place, targets, values, bodyTo("endwith"));
  }
}
