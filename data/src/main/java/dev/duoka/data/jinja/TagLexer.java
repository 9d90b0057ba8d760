package dev.duoka.data.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.IntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Takes the inside of one tag apart, up to its closing. */
final class TagLexer {
  private static final Pattern NAME = Pattern.compile("[\\p{L}_][\\p{L}\\p{N}_]*+");
  private static final Pattern REAL =
      Pattern.compile(
          "[0-9]++(?:_[0-9]++)*+(?:\\.[0-9]++(?:_[0-9]++)*+(?:[eE][-+]?[0-9]++)?|[eE][-+]?[0-9]++)");
  private static final Pattern WHOLE =
      Pattern.compile("0[xX][0-9a-fA-F]++|0[oO][0-7]++|0[bB][01]++|[0-9]++(?:_[0-9]++)*+");
  private static final Pattern OPERATOR =
      Pattern.compile("\\*\\*|//|==|!=|>=|<=|[-+*/%~\\[\\](){}<>=.:|,;]");

  private final String source;
  private final int from;
  private final String closing;
  private final IntFunction<Place> places;
  private int end;

  TagLexer(String source, int from, String closing, IntFunction<Place> places) {
    this.source = source;
    this.from = from;
    this.closing = closing;
    this.places = places;
  }

  /** Where the closing stands, after {@link #tokens}. */
  int closing() {
    return end;
  }

  List<Token> tokens() {
    List<Token> tokens = new ArrayList<>();
    Deque<Character> open = new ArrayDeque<>();
    int at = from;
    while (true) {
      while (at < source.length() && TextOps.isSpace(source.charAt(at))) {
        at++;
      }
      if (at == source.length()) {
        throw new Fault(places.apply(from), "a tag has no '" + closing + "'");
      }
      if (open.isEmpty() && closes(at)) {
        end = source.startsWith(closing, at) ? at : at + 1;
        return tokens;
      }
      Token token = token(at);
      tokens.add(token);
      at = end;
      balance(token, open);
    }
  }

  private boolean closes(int at) {
    char c = source.charAt(at);
    return source.startsWith(closing, at)
        || ((c == '-' || (c == '+' && closing.equals("%}"))) && source.startsWith(closing, at + 1));
  }

  private static void balance(Token token, Deque<Character> open) {
    if (token.kind() != Token.Kind.OPERATOR) {
      return;
    }
    char c = token.text().charAt(0);
    switch (c) {
      case '(' -> open.push(')');
      case '[' -> open.push(']');
      case '{' -> open.push('}');
      case ')', ']', '}' -> {
        if (open.isEmpty() || open.pop() != c) {
          throw new Fault(token.place(), "'" + c + "' closes nothing");
        }
      }
      default -> {}
    }
  }

  private Token token(int at) {
    char c = source.charAt(at);
    if (c == '\'' || c == '"') {
      return string(at, c);
    }
    if (c >= '0' && c <= '9') {
      Token real = matched(REAL, Token.Kind.REAL, at);
      return real != null ? real : require(matched(WHOLE, Token.Kind.WHOLE, at), at);
    }
    Token name = matched(NAME, Token.Kind.NAME, at);
    return name != null ? name : require(matched(OPERATOR, Token.Kind.OPERATOR, at), at);
  }

  private Token require(@org.jspecify.annotations.Nullable Token token, int at) {
    if (token == null) {
      throw new Fault(
          places.apply(at),
          "'" + Character.toString(source.codePointAt(at)) + "' has no meaning here");
    }
    return token;
  }

  private @org.jspecify.annotations.Nullable Token matched(
      Pattern pattern, Token.Kind kind, int at) {
    Matcher matcher = pattern.matcher(source).region(at, source.length());
    if (!matcher.lookingAt()) {
      return null;
    }
    end = matcher.end();
    return new Token(kind, matcher.group(), places.apply(at));
  }

  private Token string(int at, char quote) {
    StringBuilder text = new StringBuilder();
    int i = at + 1;
    while (i < source.length() && source.charAt(i) != quote) {
      if (source.charAt(i) != '\\') {
        text.append(source.charAt(i));
        i++;
      } else if (i + 1 < source.length()) {
        i = Escapes.read(source, i + 1, text, places.apply(i));
      } else {
        break;
      }
    }
    if (i >= source.length()) {
      throw new Fault(places.apply(at), "a string has no end");
    }
    end = i + 1;
    return new Token(Token.Kind.STRING, text.toString(), places.apply(at));
  }
}
