package dev.duoka.data.jinja;

import dev.duoka.data.jinja.Expression.Arguments;
import java.util.ArrayList;
import java.util.List;

/** Parses what operators stand between: values with what is behind them. */
final class OperandParser {
  private final Tokens tokens;
  private final ExpressionParser expressions;

  OperandParser(Tokens tokens, ExpressionParser expressions) {
    this.tokens = tokens;
    this.expressions = expressions;
  }

  /**
   * A value with its attributes, calls, filters and tests.
   *
   * @param filtered whether filters and tests belong to it
   */
  Expression operand(boolean filtered) {
    tokens.enter();
    Token token = tokens.current();
    Expression value;
    if (token.isOperator("-") || token.isOperator("+")) {
      tokens.take();
      value = new Expression.Signed(token.place(), operand(false), token.isOperator("-"));
    } else {
      value = primary();
    }
    value = behind(value);
    Expression whole = filtered ? filtered(value) : value;
    tokens.leave();
    return whole;
  }

  private Expression primary() {
    Token token = tokens.take();
    Place place = token.place();
    return switch (token.kind()) {
      case NAME ->
          switch (token.text()) {
            case "true", "True" -> new Expression.Literal(place, Value.of(true));
            case "false", "False" -> new Expression.Literal(place, Value.of(false));
            case "none", "None" -> new Expression.Literal(place, Value.none());
            default -> {
              expressions.names().add(token.text());
              yield new Expression.Name(place, token.text());
            }
          };
      case STRING -> {
        StringBuilder text = new StringBuilder(token.text());
        while (tokens.current().kind() == Token.Kind.STRING) {
          text.append(tokens.take().text());
        }
        yield new Expression.Literal(place, Value.of(text.toString()));
      }
      case WHOLE -> new Expression.Literal(place, whole(token));
      case REAL ->
          new Expression.Literal(
              place, new Value.Real(Double.parseDouble(token.text().replace("_", ""))));
      case OPERATOR ->
          switch (token.text()) {
            case "(" -> brackets(place);
            case "[" -> list(place);
            case "{" -> entries(place);
            default -> throw noValue(token);
          };
      case DATA, BLOCK_BEGIN, BLOCK_END, PRINT_BEGIN, PRINT_END, END -> throw noValue(token);
    };
  }

  private static Fault noValue(Token token) {
    return new Fault(token.place(), "expected a value, and there is " + token.shown());
  }

  private static Value whole(Token token) {
    String digits = token.text().replace("_", "");
    String prefix =
        digits.length() > 1 ? digits.substring(0, 2).toLowerCase(java.util.Locale.ROOT) : "";
    int base = prefix.equals("0x") ? 16 : prefix.equals("0o") ? 8 : prefix.equals("0b") ? 2 : 10;
    try {
      return Value.of(Long.parseLong(base == 10 ? digits : digits.substring(2), base));
    } catch (NumberFormatException _) {
      throw new Fault(token.place(), "the number " + token.text() + " has more than 64 bits");
    }
  }

  private Expression brackets(Place place) {
    if (tokens.skip(")")) {
      return new Expression.Items(place, List.of(), true);
    }
    Expression first = expressions.expression();
    if (tokens.skip(")")) {
      return first;
    }
    List<Expression> items = new ArrayList<>(List.of(first));
    while (!tokens.skip(")")) {
      tokens.expect(",");
      if (tokens.skip(")")) {
        break;
      }
      items.add(expressions.expression());
    }
    return new Expression.Items(place, items, true);
  }

  private Expression list(Place place) {
    List<Expression> items = new ArrayList<>();
    while (!tokens.skip("]")) {
      if (!items.isEmpty()) {
        tokens.expect(",");
        if (tokens.skip("]")) {
          break;
        }
      }
      items.add(expressions.expression());
    }
    return new Expression.Items(place, items, false);
  }

  private Expression entries(Place place) {
    List<Expression> keys = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (!tokens.skip("}")) {
      if (!keys.isEmpty()) {
        tokens.expect(",");
        if (tokens.skip("}")) {
          break;
        }
      }
      keys.add(expressions.expression());
      tokens.expect(":");
      values.add(expressions.expression());
    }
    return new Expression.Entries(place, keys, values);
  }

  private Expression behind(Expression value) {
    Expression result = value;
    while (true) {
      Place place = tokens.current().place();
      if (tokens.skip(".")) {
        Token name = tokens.take();
        result =
            switch (name.kind()) {
              case NAME -> new Expression.Attribute(place, result, name.text());
              case WHOLE ->
                  new Expression.Item(
                      place, result, new Expression.Literal(name.place(), whole(name)));
              default -> throw new Fault(name.place(), "expected a name behind '.'");
            };
      } else if (tokens.skip("[")) {
        result = subscript(place, result);
      } else if (tokens.skip("(")) {
        result = new Expression.Call(place, result, expressions.arguments());
      } else {
        return result;
      }
    }
  }

  private Expression subscript(Place place, Expression of) {
    Expression from = tokens.current().isOperator(":") ? null : expressions.expression();
    if (tokens.skip("]")) {
      if (from == null) {
        throw new Fault(place, "a slice has no end");
      }
      return new Expression.Item(place, of, from);
    }
    tokens.expect(":");
    Expression to = bound();
    Expression step = tokens.skip(":") ? bound() : null;
    tokens.expect("]");
    return new Expression.Slice(place, of, from, to, step);
  }

  private @org.jspecify.annotations.Nullable Expression bound() {
    return tokens.current().isOperator(":") || tokens.current().isOperator("]")
        ? null
        : expressions.expression();
  }

  private Expression filtered(Expression value) {
    Expression result = value;
    while (true) {
      Place place = tokens.current().place();
      if (tokens.skip("|")) {
        result = filter(place, result);
      } else if (tokens.skipName("is")) {
        result = test(place, result);
      } else if (tokens.skip("(")) {
        result = new Expression.Call(place, result, expressions.arguments());
      } else {
        return result;
      }
    }
  }

  /** A filter's name and arguments; the bar is taken. */
  Expression.Filtered filter(Place place, Expression of) {
    String name = tokens.expect(Token.Kind.NAME, "a filter's name").text();
    Filters.require(place, name);
    Arguments arguments = tokens.skip("(") ? expressions.arguments() : Arguments.NONE;
    return new Expression.Filtered(place, of, name, arguments);
  }

  private Expression test(Place place, Expression of) {
    boolean negated = tokens.skipName("not");
    String name = tokens.expect(Token.Kind.NAME, "a test's name").text();
    Predicates.require(place, name);
    Arguments arguments = Arguments.NONE;
    Token next = tokens.current();
    if (tokens.skip("(")) {
      arguments = expressions.arguments();
    } else if (takesArgument(next)) {
      arguments = new Arguments(List.of(behind(primary())), List.of(), List.of());
    }
    Expression tested = new Expression.Tested(place, of, name, arguments);
    return negated ? new Expression.Not(place, tested) : tested;
  }

  /** Whether a test without brackets has an argument, as in {@code is equalto 3}. */
  private static boolean takesArgument(Token next) {
    return switch (next.kind()) {
      case NAME ->
          switch (next.text()) {
            case "else", "or", "and", "if", "is", "in", "not" -> false;
            default -> true;
          };
      case STRING, WHOLE, REAL -> true;
      case OPERATOR -> next.isOperator("[") || next.isOperator("{");
      case DATA, BLOCK_BEGIN, BLOCK_END, PRINT_BEGIN, PRINT_END, END -> false;
    };
  }
}
