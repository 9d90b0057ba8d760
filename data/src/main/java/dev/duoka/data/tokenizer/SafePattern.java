package dev.duoka.data.tokenizer;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A pattern from a tokenizer file that cannot make the program hang.
 *
 * <p>Java's matcher backtracks, so a careless pattern can take time quadratic or worse in the
 * length of the text. Each use counts the characters it looks at and gives up with an error when
 * they are out of all proportion.
 */
final class SafePattern {
  private static final long STEPS_PER_CHARACTER = 2_000;
  private static final long FREE_STEPS = 4_000_000;

  private final Pattern pattern;
  private final String source;

  private SafePattern(Pattern pattern, String source) {
    this.pattern = pattern;
    this.source = source;
  }

  /**
   * Compiles a pattern in the language of Oniguruma.
   *
   * @throws DuokaException if it uses something that has no equal in Java
   */
  static SafePattern compile(String regex) {
    String translated = RegexTranslator.translate(regex);
    try {
      // ^ and $ are about lines in Oniguruma's Ruby syntax, and only LF ends a line.
      int flags = Pattern.MULTILINE | Pattern.UNIX_LINES | Pattern.UNICODE_CASE;
      return new SafePattern(Pattern.compile(translated, flags), regex);
    } catch (PatternSyntaxException e) {
      throw new DuokaException(
          ErrorCode.FORMAT,
          "cannot use the pattern " + regex + ": " + e.getDescription(),
          "Write it without constructs special to Oniguruma.",
          e);
    } catch (StackOverflowError e) {
      throw new DuokaException(
          ErrorCode.FORMAT,
          "cannot use a pattern of " + regex.length() + " characters: it is nested too deeply",
          "",
          e);
    }
  }

  static SafePattern literal(String text) {
    return new SafePattern(Pattern.compile(Pattern.quote(text)), text);
  }

  Finder finder(String text) {
    return new Finder(text);
  }

  /** All matches replaced by {@code content}, taken literally. */
  String replaceAll(String text, String content) {
    Finder finder = finder(text);
    StringBuilder out = new StringBuilder(text.length());
    int done = 0;
    while (finder.find()) {
      out.append(text, done, finder.start()).append(content);
      done = finder.end();
    }
    return done == 0 && out.isEmpty() ? text : out.append(text, done, text.length()).toString();
  }

  @Override
  public String toString() {
    return source;
  }

  /** Finds one match after the other, each at or behind the end of the one before. */
  final class Finder {
    private final CountingText text;
    private final Matcher matcher;
    private int lastEnd = -1;

    private Finder(String text) {
      this.text = new CountingText(text);
      this.matcher = pattern.matcher(this.text);
    }

    /** Looks only at this range from now on; lookahead and lookbehind see nothing beyond it. */
    void region(int start, int end) {
      matcher.region(start, end);
      lastEnd = -1;
    }

    boolean find() {
      try {
        while (matcher.find()) {
          // As in Oniguruma's iterator, an empty match right behind a match does not count; nor
          // does one between the two halves of a character, which only Java can see.
          boolean counts =
              matcher.end() > matcher.start()
                  || (matcher.start() != lastEnd && !text.withinCharacter(matcher.start()));
          if (counts) {
            lastEnd = matcher.end();
            return true;
          }
        }
        return false;
      } catch (StackOverflowError e) {
        throw new DuokaException(
            ErrorCode.FORMAT,
            "cannot split text of "
                + text.length()
                + " characters by "
                + source
                + ": the pattern recurses too deeply",
            "Split the document, or use a tokenizer whose pattern repeats no group.",
            e);
      }
    }

    int start() {
      return matcher.start();
    }

    int end() {
      return matcher.end();
    }
  }

  /** The text, counting how often a character is read. */
  private final class CountingText implements CharSequence {
    private final String content;
    private long steps;

    CountingText(String content) {
      this.content = content;
      this.steps = FREE_STEPS + STEPS_PER_CHARACTER * content.length();
    }

    @Override
    public char charAt(int index) {
      if (--steps < 0) {
        throw new DuokaException(
            ErrorCode.FORMAT,
            "gave up splitting text of "
                + content.length()
                + " characters by "
                + source
                + ": it backtracks without end",
            "Look for a very long run of the same character in the data, or correct the pattern.");
      }
      return content.charAt(index);
    }

    boolean withinCharacter(int index) {
      return index > 0
          && index < content.length()
          && Character.isLowSurrogate(content.charAt(index))
          && Character.isHighSurrogate(content.charAt(index - 1));
    }

    @Override
    public int length() {
      return content.length();
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return content.substring(start, end);
    }

    @Override
    public String toString() {
      return content;
    }
  }
}
