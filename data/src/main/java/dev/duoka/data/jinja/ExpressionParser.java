package dev.duoka.data.jinja;

import dev.duoka.data.jinja.Expression.Arguments;
import dev.duoka.data.jinja.Expression.Comparison;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Parses expressions, by Jinja's grammar and order of operators. */
final class ExpressionParser {
  private static final Map<String, Comparison> COMPARISONS =
      Map.of(
          "==", Comparison.EQUAL,
          "!=", Comparison.UNEQUAL,
          "<", Comparison.LESS,
          "<=", Comparison.LESS_OR_EQUAL,
          ">", Comparison.GREATER,
          ">=", Comparison.GREATER_OR_EQUAL);

  private final Tokens tokens;
  private final Set<String> names = new HashSet<>();
  private final OperandParser operands;

  ExpressionParser(Tokens tokens) {
    this.tokens = tokens;
    this.operands = new OperandParser(tokens, this);
  }

  /** All names that the expressions so far read. */
  Set<String> names() {
    return names;
  }

  /** One expression, a conditional one included. */
  Expression expression() {
    tokens.enter();
    try {
      Expression value = or();
      while (tokens.current().isName("if")) {
        Place place = tokens.take().place();
        Expression test = or();
        Expression otherwise = tokens.skipName("else") ? expression() : null;
        value = new Expression.Conditional(place, test, value, otherwise);
      }
      return value;
    } finally {
      tokens.leave();
    }
  }

  /** One without {@code if}, where an {@code if} begins something else. */
  Expression withoutCondition() {
    tokens.enter();
    try {
      return or();
    } finally {
      tokens.leave();
    }
  }

  /** One expression, or several with commas between as a tuple. */
  Expression tuple() {
    Place place = tokens.current().place();
    Expression first = expression();
    if (!tokens.current().isOperator(",")) {
      return first;
    }
    List<Expression> items = new ArrayList<>(List.of(first));
    while (tokens.skip(",") && begins(tokens.current())) {
      items.add(expression());
    }
    return new Expression.Items(place, items, true);
  }

  private static boolean begins(Token token) {
    return switch (token.kind()) {
      case BLOCK_END, PRINT_END, END, DATA, BLOCK_BEGIN, PRINT_BEGIN -> false;
      case OPERATOR ->
          token.isOperator("(")
              || token.isOperator("[")
              || token.isOperator("{")
              || token.isOperator("-")
              || token.isOperator("+");
      case NAME, STRING, WHOLE, REAL -> true;
    };
  }

  private Expression or() {
    Expression left = and();
    while (tokens.current().isName("or")) {
      Place place = tokens.take().place();
      left = new Expression.Logic(place, left, and(), false);
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    while (tokens.current().isName("and")) {
      Place place = tokens.take().place();
      left = new Expression.Logic(place, left, not(), true);
    }
    return left;
  }

  private Expression not() {
    if (!tokens.current().isName("not")) {
      return compared();
    }
    tokens.enter();
    Place place = tokens.take().place();
    Expression of = not();
    tokens.leave();
    return new Expression.Not(place, of);
  }

  private Expression compared() {
    Place place = tokens.current().place();
    Expression first = sum();
    List<Comparison> operators = new ArrayList<>();
    List<Expression> others = new ArrayList<>();
    for (Comparison operator = comparison(); operator != null; operator = comparison()) {
      operators.add(operator);
      others.add(sum());
    }
    return operators.isEmpty() ? first : new Expression.Compared(place, first, operators, others);
  }

  private @Nullable Comparison comparison() {
    Token token = tokens.current();
    if (token.isName("in")) {
      tokens.take();
      return Comparison.IN;
    }
    if (token.isName("not") && tokens.following().isName("in")) {
      tokens.take();
      tokens.take();
      return Comparison.NOT_IN;
    }
    Comparison found = token.kind() == Token.Kind.OPERATOR ? COMPARISONS.get(token.text()) : null;
    if (found != null) {
      tokens.take();
    }
    return found;
  }

  private Expression sum() {
    Expression left = joined();
    while (tokens.current().isOperator("+") || tokens.current().isOperator("-")) {
      Token sign = tokens.take();
      Arithmetic operator = sign.isOperator("+") ? Arithmetic.ADD : Arithmetic.SUBTRACT;
      left = new Expression.Computed(sign.place(), operator, left, joined());
    }
    return left;
  }

  private Expression joined() {
    Expression first = product();
    if (!tokens.current().isOperator("~")) {
      return first;
    }
    Place place = tokens.current().place();
    List<Expression> parts = new ArrayList<>(List.of(first));
    while (tokens.skip("~")) {
      parts.add(product());
    }
    return new Expression.Joined(place, parts);
  }

  private Expression product() {
    Expression left = power();
    while (true) {
      Token sign = tokens.current();
      Arithmetic operator =
          switch (sign.kind() == Token.Kind.OPERATOR ? sign.text() : "") {
            case "*" -> Arithmetic.MULTIPLY;
            case "/" -> Arithmetic.DIVIDE;
            case "//" -> Arithmetic.FLOOR_DIVIDE;
            case "%" -> Arithmetic.REMAINDER;
            default -> null;
          };
      if (operator == null) {
        return left;
      }
      tokens.take();
      left = new Expression.Computed(sign.place(), operator, left, power());
    }
  }

  private Expression power() {
    Expression left = operands.operand(true);
    while (tokens.current().isOperator("**")) {
      Place place = tokens.take().place();
      left = new Expression.Computed(place, Arithmetic.POWER, left, operands.operand(true));
    }
    return left;
  }

  /** What stands in the brackets of a call; the opening one is taken. */
  Arguments arguments() {
    List<Expression> positional = new ArrayList<>();
    List<String> names = new ArrayList<>();
    List<Expression> named = new ArrayList<>();
    while (!tokens.skip(")")) {
      if (!positional.isEmpty() || !named.isEmpty()) {
        tokens.expect(",");
        if (tokens.skip(")")) {
          break;
        }
      }
      Token token = tokens.current();
      if (token.isOperator("*") || token.isOperator("**")) {
        throw new Fault(token.place(), "arguments from a list with '*' are not known here");
      }
      if (token.kind() == Token.Kind.NAME && tokens.following().isOperator("=")) {
        names.add(tokens.take().text());
        tokens.expect("=");
        named.add(expression());
      } else if (named.isEmpty()) {
        positional.add(expression());
      } else {
        throw new Fault(token.place(), "an argument without a name stands behind one with a name");
      }
    }
    return new Arguments(positional, names, named);
  }
}
