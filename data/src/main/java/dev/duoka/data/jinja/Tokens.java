package dev.duoka.data.jinja;

import java.util.List;

/** The pieces of a template, read from front to back. */
final class Tokens {
  private final List<Token> tokens;
  private final int nesting;
  private int next;
  private int depth;

  /**
   * @param nesting how many blocks and expressions may be inside each other
   */
  Tokens(List<Token> tokens, int nesting) {
    this.tokens = tokens;
    this.nesting = nesting;
  }

  Token current() {
    return tokens.get(next);
  }

  /** The one behind the current one. */
  Token following() {
    return tokens.get(Math.min(next + 1, tokens.size() - 1));
  }

  /** The one that was taken last. */
  Token previous() {
    return tokens.get(Math.max(0, next - 1));
  }

  Token take() {
    Token token = tokens.get(next);
    next = Math.min(next + 1, tokens.size() - 1);
    return token;
  }

  boolean skip(String sign) {
    boolean there = current().isOperator(sign);
    if (there) {
      take();
    }
    return there;
  }

  boolean skipName(String name) {
    boolean there = current().isName(name);
    if (there) {
      take();
    }
    return there;
  }

  void expect(String sign) {
    if (!skip(sign)) {
      throw unexpected("'" + sign + "'");
    }
  }

  void expectName(String name) {
    if (!skipName(name)) {
      throw unexpected("'" + name + "'");
    }
  }

  Token expect(Token.Kind kind, String what) {
    if (current().kind() != kind) {
      throw unexpected(what);
    }
    return take();
  }

  Fault unexpected(String expected) {
    return new Fault(
        current().place(), "expected " + expected + ", and there is " + current().shown());
  }

  /** One block or expression more inside the others; {@link #leave} ends it. */
  void enter() {
    depth++;
    if (depth > nesting) {
      throw new Fault(
          current().place(),
          "blocks and expressions are more than " + nesting + " deep, the limit of nesting");
    }
  }

  void leave() {
    depth--;
  }
}
