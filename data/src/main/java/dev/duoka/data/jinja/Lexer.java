package dev.duoka.data.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Takes a template apart into text and the pieces of its tags. White space around tags goes as
 * Jinja's {@code trim_blocks} and {@code lstrip_blocks} have it: the line break behind a block or
 * comment, and what stands before one on its line if that is white space; more where a tag has a
 * minus, none where it has a plus.
 */
final class Lexer {
  private static final Pattern BEGIN = Pattern.compile("\\{[%{#]");
  private static final Pattern RAW = Pattern.compile("\\{%[-+]?\\s*+raw\\s*+(-?)%\\}");
  private static final Pattern END_RAW = Pattern.compile("\\{%([-+]?)\\s*+endraw\\s*+[-+]?%\\}");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int position;
  private boolean lineStarts = true;
  private int placed;
  private int line = 1;
  private int lineStart;

  private Lexer(String source) {
    this.source = source;
  }

  /** The pieces of a template, an {@code END} behind them. */
  static List<Token> tokens(String template) {
    String source = template.replace("\r\n", "\n").replace('\r', '\n');
    // Jinja drops one line break at the end of a template.
    Lexer lexer =
        new Lexer(source.endsWith("\n") ? source.substring(0, source.length() - 1) : source);
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    Matcher begin = BEGIN.matcher(source);
    while (begin.find(position)) {
      int at = begin.start();
      char kind = source.charAt(at + 1);
      data(position, trimmedEnd(position, at, kind), position);
      position = at;
      switch (kind) {
        case '#' -> comment(at);
        case '{' -> tag(at, Token.Kind.PRINT_BEGIN, Token.Kind.PRINT_END, "}}");
        default -> {
          Matcher raw = RAW.matcher(source).region(at, source.length());
          if (raw.lookingAt()) {
            raw(raw);
          } else {
            tag(at, Token.Kind.BLOCK_BEGIN, Token.Kind.BLOCK_END, "%}");
          }
        }
      }
    }
    data(position, source.length(), position);
    tokens.add(new Token(Token.Kind.END, "", place(source.length())));
  }

  private void data(int from, int end, int where) {
    if (end > from) {
      tokens.add(new Token(Token.Kind.DATA, source.substring(from, end), place(where)));
    }
  }

  /** Where the text before a tag ends when white space before the tag is taken off. */
  private int trimmedEnd(int from, int at, char kind) {
    char sign = at + 2 < source.length() ? source.charAt(at + 2) : ' ';
    return trimmedEnd(from, at, kind, sign);
  }

  private int trimmedEnd(int from, int at, char kind, char sign) {
    if (sign == '-') {
      return from + TextOps.strip(source.substring(from, at), null, false, true).length();
    }
    if (sign == '+' || kind == '{') {
      return at;
    }
    int start = source.lastIndexOf('\n', at - 1) + 1;
    boolean wholeLine = start > from || lineStarts;
    start = Math.max(start, from);
    boolean blank = source.substring(start, at).codePoints().allMatch(TextOps::isSpace);
    return wholeLine && blank ? start : at;
  }

  private void comment(int at) {
    int end = source.indexOf("#}", at + 2);
    if (end < 0) {
      throw new Fault(place(at), "a comment has no '#}'");
    }
    behind(end, end + 2, true);
  }

  /** Goes on behind a tag, whose sign stands before {@code sign}'s end. */
  private void behind(int closing, int end, boolean trims) {
    char sign = closing > 0 ? source.charAt(closing - 1) : ' ';
    position = end;
    if (sign == '-') {
      while (position < source.length() && TextOps.isSpace(source.codePointAt(position))) {
        position += Character.charCount(source.codePointAt(position));
      }
    } else if (trims
        && sign != '+'
        && position < source.length()
        && source.charAt(position) == '\n') {
      position++;
    }
    lineStarts = source.charAt(position - 1) == '\n';
  }

  private void raw(Matcher raw) {
    behind(raw.end() - 2, raw.end(), false);
    Matcher end = END_RAW.matcher(source);
    if (!end.find(position)) {
      throw new Fault(place(raw.start()), "'raw' has no 'endraw'");
    }
    String written = end.group(1);
    char sign = written.isEmpty() ? ' ' : written.charAt(0);
    data(position, trimmedEnd(position, end.start(), '%', sign), position);
    behind(end.end() - 2, end.end(), true);
  }

  private void tag(int at, Token.Kind begin, Token.Kind end, String closing) {
    tokens.add(new Token(begin, source.substring(at, at + 2), place(at)));
    int from = at + 2;
    if (from < source.length() && (source.charAt(from) == '-' || source.charAt(from) == '+')) {
      from++;
    }
    TagLexer inside = new TagLexer(source, from, closing, this::place);
    tokens.addAll(inside.tokens());
    int close = inside.closing();
    tokens.add(new Token(end, closing, place(close)));
    behind(close, close + 2, end == Token.Kind.BLOCK_END);
  }

  /** Asked for in ascending order, so that lines are counted once. */
  private Place place(int offset) {
    if (offset < placed) {
      placed = 0;
      line = 1;
      lineStart = 0;
    }
    while (placed < offset) {
      if (source.charAt(placed) == '\n') {
        line++;
        lineStart = placed + 1;
      }
      placed++;
    }
    return new Place(line, offset - lineStart + 1);
  }
}
