package dev.duoka.diagnosis.log;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A text whose lines a terminal of fixed width took apart, put together again. Only short texts are
 * looked at: what people paste. A line goes on in the next one where it has the greatest width of
 * all and the next one begins like no line of a log; one such place alone must be within a
 * sentence.
 */
public final class UnwrappedText {
  private static final int LONGEST_TEXT = 1 << 18;
  private static final int NARROWEST = 60;
  private static final int WIDEST = 400;
  private static final int MOST_PIECES = 40;
  private static final int SAME_START = 3;

  private static final Pattern LINE_START =
      Pattern.compile(
          "^(?:Traceback |Exception ignored |\\s*File"
              + " \"|\\s{3,}|[\\w.]{1,80}(?:Error|Exception|Warning)\\b|[\\[{|+<#$>*=]|\\S{1,60}@\\S{1,60}[:~]|\\S+:\\d+:\\d+"
              + " \\[\\d+\\]|NVRM: |WARN|INFO|ERROR|DEBUG|(?i:step|iter|epoch|loss|gpu\\d)\\b)");

  private static final Pattern ENDS_IN_NUMBER = Pattern.compile("\\d$");
  private static final Pattern BEGINS_WITH_UNIT = Pattern.compile("^[KMGT]i?B\\b");
  private static final Pattern ENDS_IN_UNIT = Pattern.compile("\\d ?[KMGT]i?B$");

  private final TextBlock block;

  /** The line of the paste at which each line of the text begins; empty where none was joined. */
  private final int[] numbers;

  private final long breaks;

  private UnwrappedText(TextBlock block, int[] numbers, long breaks) {
    this.block = block;
    this.numbers = numbers;
    this.breaks = breaks;
  }

  /** The text as it was before the terminal broke it; the same text where none did. */
  public static UnwrappedText of(TextBlock block) {
    if (block.length() > LONGEST_TEXT) {
      return new UnwrappedText(block, new int[0], 0);
    }
    List<String> lines = lines(block);
    int width = lines.stream().mapToInt(UnwrappedText::width).max().orElse(0);
    if (width < NARROWEST || width > WIDEST) {
      return new UnwrappedText(block, new int[0], 0);
    }
    boolean[] goesOn = new boolean[lines.size()];
    int places = 0;
    int inWords = 0;
    int last = -1;
    for (int i = 0; i + 1 < lines.size(); i++) {
      goesOn[i] = width(lines.get(i)) == width && mayGoOn(lines, i);
      if (goesOn[i]) {
        places++;
        inWords += isWithinSentence(lines.get(i), lines.get(i + 1)) ? 1 : 0;
        last = i;
      }
    }
    boolean one = places == 1;
    boolean certain =
        inWords > 0
            && !isLong(goesOn)
            && (!one || (beginsLine(lines.get(last)) && beginsInWord(lines.get(last + 1))));
    return certain ? joined(lines, goesOn, width) : new UnwrappedText(block, new int[0], 0);
  }

  /** The text. */
  public TextBlock block() {
    return block;
  }

  /** The number in the paste of the line that is the text's so manieth. */
  public long number(long line) {
    return numbers.length == 0 ? line : numbers[(int) Math.min(line, numbers.length) - 1];
  }

  /** Line breaks of the paste, where the text has so many. */
  public long breaks(long ofText) {
    return numbers.length == 0 ? ofText : breaks;
  }

  private static List<String> lines(TextBlock block) {
    String text = LineText.of(block.bytes(), 0, block.length());
    return Arrays.asList(text.replace("\r\n", "\n").split("\n", -1));
  }

  private static int width(String line) {
    return line.codePointCount(0, line.length());
  }

  private static boolean mayGoOn(List<String> lines, int at) {
    String line = lines.get(at);
    String next = lines.get(at + 1);
    return !next.isBlank()
        && line.indexOf('\r') < 0
        && next.indexOf('\r') < 0
        && !beginsLine(next)
        && !line.regionMatches(0, next, 0, SAME_START);
  }

  private static boolean beginsLine(String text) {
    return LINE_START.matcher(text).find() || !LogLine.of(text).body().equals(text);
  }

  private static boolean isWithinSentence(String line, String next) {
    boolean atBlank =
        next.length() > 1
            && next.charAt(0) == ' '
            && Character.isLowerCase(next.charAt(1))
            && !LINE_START.matcher(next.substring(1)).find();
    char last = line.charAt(line.length() - 1);
    return (last == ' ' || isOfWord(last)) && (atBlank || isOfWord(next.charAt(0)));
  }

  private static boolean beginsInWord(String line) {
    return !Character.isUpperCase(line.charAt(0));
  }

  /** Whether a blank stood at the break: before the unit of a number, or behind it. */
  private static boolean isWithinSize(String line, String next) {
    return ENDS_IN_UNIT.matcher(line).find()
        ? isOfWord(next.charAt(0))
        : ENDS_IN_NUMBER.matcher(line).find() && BEGINS_WITH_UNIT.matcher(next).find();
  }

  private static boolean isOfWord(char c) {
    return Character.isLetterOrDigit(c) || c == '_' || c == '\'' || c == ']';
  }

  private static boolean isLong(boolean[] goesOn) {
    int run = 0;
    for (boolean on : goesOn) {
      run = on ? run + 1 : 0;
      if (run > MOST_PIECES) {
        return true;
      }
    }
    return false;
  }

  private static UnwrappedText joined(List<String> lines, boolean[] goesOn, int width) {
    StringBuilder text = new StringBuilder();
    List<Integer> numbers = new ArrayList<>(List.of(1));
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      text.append(line);
      boolean blankLost = i + 1 < lines.size() && width(line) == width - 1 && mayGoOn(lines, i);
      if (blankLost || (goesOn[i] && isWithinSize(line, lines.get(i + 1)))) {
        text.append(' ');
      } else if (!goesOn[i] && i + 1 < lines.size()) {
        text.append('\n');
        numbers.add(i + 2);
      }
    }
    byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
    return new UnwrappedText(
        new TextBlock(bytes, bytes.length),
        numbers.stream().mapToInt(Integer::intValue).toArray(),
        lines.size() - 1L);
  }
}
