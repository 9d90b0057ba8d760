package dev.duoka.data.source;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A path pattern with {@code /} between names: {@code ?} and {@code *} stay within a name, {@code
 * **} crosses them, {@code **}{@code /} also matches nothing, {@code [a-z]} and <code>{a,b}</code>
 * are as in a shell.
 */
final class Glob {
  private static final String SPECIAL = "*?[{";

  private final Pattern pattern;

  private Glob(Pattern pattern) {
    this.pattern = pattern;
  }

  static boolean isGlob(String text) {
    return text.chars().anyMatch(c -> SPECIAL.indexOf(c) >= 0);
  }

  boolean matches(String path) {
    return pattern.matcher(path).matches();
  }

  static Glob of(String glob) {
    StringBuilder regex = new StringBuilder();
    int braces = 0;
    int i = 0;
    while (i < glob.length()) {
      char c = glob.charAt(i++);
      switch (c) {
        case '*' -> {
          if (glob.startsWith("*/", i)) {
            regex.append("(?:.*/)?");
            i += 2;
          } else if (glob.startsWith("*", i)) {
            regex.append(".*");
            i++;
          } else {
            regex.append("[^/]*");
          }
        }
        case '?' -> regex.append("[^/]");
        case '[' -> i = characterClass(glob, i, regex);
        case '{' -> {
          braces++;
          regex.append("(?:");
        }
        case '}' -> {
          regex.append(braces > 0 ? ")" : "\\}");
          braces = Math.max(0, braces - 1);
        }
        case ',' -> regex.append(braces > 0 ? "|" : ",");
        default -> regex.append(Pattern.quote(String.valueOf(c)));
      }
    }
    try {
      return new Glob(Pattern.compile(regex.toString(), Pattern.DOTALL));
    } catch (PatternSyntaxException e) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "the file pattern '" + glob + "' is not valid: a bracket or brace is not closed",
          "Close it, or put the character itself in brackets: [{].",
          e);
    }
  }

  private static int characterClass(String glob, int from, StringBuilder regex) {
    int end = glob.indexOf(']', from + 1);
    if (end < 0) {
      regex.append("[");
      return from;
    }
    String inside = glob.substring(from, end);
    boolean negated = inside.startsWith("!");
    regex.append(negated ? "[^/" : "[");
    inside
        .substring(negated ? 1 : 0)
        .chars()
        .forEach(
            c -> regex.append(c == '-' ? "-" : (c < 128 && !isWord(c) ? "\\" : "") + (char) c));
    regex.append("]");
    return end + 1;
  }

  private static boolean isWord(int c) {
    return Character.isLetterOrDigit(c) || c == '_';
  }
}
