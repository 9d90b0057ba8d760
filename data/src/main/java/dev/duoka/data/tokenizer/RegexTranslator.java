package dev.duoka.data.tokenizer;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Rewrites a pattern from the language of Oniguruma, which tokenizer files use, into Java's.
 *
 * <p>What differs: in Oniguruma {@code \s \d \w \b} follow Unicode; {@code \h} is a hexadecimal
 * digit and {@code \v} one character; a brace that opens no repetition is a plain character; {@code
 * {n,m}+} repeats the repetition where Java would make it possessive ({@code ++ *+ ?+} are
 * possessive in both); {@code (?m)} lets the dot match a line feed. Source: the "Oniguruma Regular
 * Expressions" page ({@code doc/RE}) of its repository, Ruby syntax.
 */
final class RegexTranslator {
  private static final String WORD = UnicodeProperty.WORD;

  /** Outside brackets a word has more characters; found by comparing all of them. */
  private static final String ALONE = WORD + UnicodeProperty.LATIN_NUMBERS;

  private final String regex;
  private final StringBuilder out = new StringBuilder();
  private final Deque<Integer> groups = new ArrayDeque<>();
  private int at;

  /** Where the last atom, to which a repetition applies, begins in the output. */
  private int atom;

  private RegexTranslator(String regex) {
    this.regex = regex;
  }

  /** The pattern for {@code java.util.regex}, to be compiled with UNIX_LINES and MULTILINE. */
  static String translate(String regex) {
    return new RegexTranslator(regex).translate();
  }

  private String translate() {
    while (at < regex.length()) {
      char c = regex.charAt(at);
      switch (c) {
        case '\\' -> {
          atom = out.length();
          escape(false);
        }
        case '[' -> {
          atom = out.length();
          characterClass();
        }
        case '(' -> open();
        case ')' -> {
          atom = groups.isEmpty() ? out.length() : groups.pop();
          copy(1);
        }
        case '{' -> brace();
        case '*', '+', '?' -> {
          copy(1);
          if (at < regex.length() && (regex.charAt(at) == '+' || regex.charAt(at) == '?')) {
            copy(1);
          }
        }
        default -> {
          atom = out.length();
          copy(Character.charCount(regex.codePointAt(at)));
        }
      }
    }
    return out.toString();
  }

  private void open() {
    groups.push(out.length());
    if (regex.startsWith("(?#", at)) {
      groups.pop();
      int close = regex.indexOf(')', at);
      at = close < 0 ? regex.length() : close + 1;
      return;
    }
    copy(1);
    if (at < regex.length() && regex.charAt(at) == '?') {
      copy(1);
      while (at < regex.length() && "imx-".indexOf(regex.charAt(at)) >= 0) {
        // Ruby's m is Java's s.
        out.append(regex.charAt(at) == 'm' ? 's' : regex.charAt(at));
        at++;
      }
      while (at < regex.length() && ":=!<>".indexOf(regex.charAt(at)) >= 0) {
        copy(1);
      }
    }
  }

  private void brace() {
    int close = regex.indexOf('}', at);
    String inside = close < 0 ? "" : regex.substring(at + 1, close);
    if (!inside.matches("\\d{1,6}|\\d{1,6},\\d{0,6}|,\\d{1,6}")) {
      atom = out.length();
      out.append("\\{");
      at++;
      return;
    }
    boolean exact = inside.indexOf(',') < 0;
    out.append('{').append(inside.startsWith(",") ? "0" : "").append(inside).append('}');
    at = close + 1;
    boolean again = at < regex.length() && regex.charAt(at) == '+';
    boolean optional = at < regex.length() && regex.charAt(at) == '?';
    if (again || (optional && exact)) {
      out.insert(atom, "(?:").append(')');
      copy(1);
    } else if (optional) {
      copy(1);
    }
  }

  private void characterClass() {
    copy(1);
    if (at < regex.length() && regex.charAt(at) == '^') {
      copy(1);
    }
    boolean first = true;
    while (at < regex.length()) {
      char c = regex.charAt(at);
      if (c == ']' && !first) {
        copy(1);
        return;
      }
      if (c == ']') {
        out.append("\\]");
        at++;
      } else if (c == '\\') {
        escape(true);
      } else if (regex.startsWith("[:", at) && regex.indexOf(":]", at) > 0) {
        int close = regex.indexOf(":]", at);
        String name = regex.substring(at + 2, close);
        boolean caret = name.startsWith("^");
        out.append(UnicodeProperty.bracket(caret ? name.substring(1) : name, caret));
        at = close + 2;
      } else if (c == '[') {
        characterClass();
      } else {
        copy(Character.charCount(regex.codePointAt(at)));
      }
      first = false;
    }
    throw unsupported("a bracket that is not closed");
  }

  private void escape(boolean inClass) {
    if (at + 1 >= regex.length()) {
      throw unsupported("a backslash at the end");
    }
    char c = regex.charAt(at + 1);
    String plain =
        switch (c) {
          case 'd' -> "\\p{Nd}";
          case 'D' -> "\\P{Nd}";
          case 's' -> "\\p{IsWhite_Space}";
          case 'S' -> "\\P{IsWhite_Space}";
          case 'w' -> "[" + (inClass ? WORD : ALONE) + "]";
          case 'W' -> "[^" + (inClass ? WORD : ALONE) + "]";
          case 'h' -> "[0-9a-fA-F]";
          case 'H' -> "[^0-9a-fA-F]";
          case 'v' -> "\\x0B";
          case 'b' -> inClass ? "\\x08" : boundary("(?!", "(?=");
          case 'B' -> inClass ? "B" : boundary("(?=", "(?!");
          default -> "";
        };
    if (!plain.isEmpty()) {
      out.append(plain);
      at += 2;
    } else if (c == 'p' || c == 'P') {
      property(c == 'P');
    } else if (c == 'x') {
      hexadecimal();
    } else if (Character.isLetter(c) && "nrtfaeuRXAzZGk".indexOf(c) < 0) {
      throw unsupported("the escape \\" + c);
    } else {
      copy(1 + Character.charCount(regex.codePointAt(at + 1)));
    }
  }

  /** A place with a word character before it and what {@code after} says behind it, or neither. */
  private static String boundary(String afterWord, String afterOther) {
    // Java looks behind over surrogate pairs only if the pattern spells one out: 𐐀 is a letter.
    String word = "[" + ALONE + "𐐀])";
    return "(?:(?<=" + word + afterWord + word + "|(?<!" + word + afterOther + word + ")";
  }

  private void property(boolean negated) {
    int open = at + 2;
    int close = regex.indexOf('}', at);
    if (open < regex.length() && regex.charAt(open) != '{') {
      out.append(UnicodeProperty.translate(regex.substring(open, open + 1), negated));
      at = open + 1;
      return;
    }
    if (close < 0) {
      throw unsupported("a property without its closing brace");
    }
    String name = regex.substring(open + 1, close);
    boolean caret = name.startsWith("^");
    out.append(UnicodeProperty.translate(caret ? name.substring(1) : name, negated != caret));
    at = close + 1;
  }

  private void hexadecimal() {
    if (regex.startsWith("\\x{", at)) {
      copy(3);
      return;
    }
    int end = at + 2;
    while (end < Math.min(at + 4, regex.length()) && Character.digit(regex.charAt(end), 16) >= 0) {
      end++;
    }
    String digits = regex.substring(at + 2, end);
    out.append("\\x").append("0".repeat(2 - digits.length())).append(digits);
    at = end;
  }

  private void copy(int length) {
    out.append(regex, at, at + length);
    at += length;
  }

  private DuokaException unsupported(String what) {
    return new DuokaException(
        ErrorCode.FORMAT,
        "cannot use the pattern " + regex + ": it has " + what,
        "Rewrite that part of the tokenizer's pattern.");
  }
}
