package dev.duoka.diagnosis.scan;

import dev.duoka.diagnosis.log.LineText;
import dev.duoka.diagnosis.log.LogLine;
import dev.duoka.diagnosis.rule.LinePattern;
import java.util.regex.Pattern;

/**
 * A message that runs over several lines: those of the kernel's driver, each of which begins with
 * its name and between which others may stand, and those that somebody broke at blanks.
 */
final class LongMessage {
  private static final String DRIVER = "NVRM: ";
  private static final Pattern OTHER =
      Pattern.compile(
          "^\\s*(?:Traceback |File \"|[\\w.]*(?:Error|Exception|Warning)\\b[:(]|[$>] )");

  private LongMessage() {}

  /**
   * The text of a line and of those that belong to its message.
   *
   * @param end where the line ends in the bytes
   * @param length where the bytes end
   */
  static String from(LogLine line, LinePattern pattern, byte[] bytes, int end, int length) {
    StringBuilder text = new StringBuilder(line.body().stripTrailing());
    boolean driver = line.body().stripLeading().startsWith(DRIVER);
    int at = end;
    for (int i = 0; i < pattern.over() && at < length; i++) {
      boolean twoMarks = at + 1 < length && bytes[at] == '\r' && bytes[at + 1] == '\n';
      int from = at + (twoMarks ? 2 : 1);
      int to = from;
      while (to < length && bytes[to] != '\n' && bytes[to] != '\r') {
        to++;
      }
      at = to;
      if (from >= length) {
        break;
      }
      LogLine next =
          LogLine.of(LineText.of(bytes, from, Math.min(to, from + BlockScan.LONGEST_LINE)));
      int name = next.body().indexOf(DRIVER);
      if (driver && name >= 0 && !pattern.hasWord(next.body())) {
        text.append(' ').append(next.body().substring(name + DRIVER.length()).strip());
      } else if (!driver && goesOn(next, pattern)) {
        text.append(' ').append(next.body().strip());
      } else if (!driver || name >= 0) {
        break;
      }
    }
    return text.toString();
  }

  private static boolean goesOn(LogLine next, LinePattern pattern) {
    String body = next.body().strip();
    return !body.isEmpty()
        && !pattern.hasWord(body)
        && next.text().strip().equals(body)
        && !OTHER.matcher(next.text()).find();
  }
}
