package dev.duoka.diagnosis.scan;

import dev.duoka.diagnosis.log.LineText;
import dev.duoka.diagnosis.log.TextBlock;
import java.util.Collections;
import java.util.List;

/** The last lines of a log. */
final class Tail {
  private static final int BYTES = 1 << 16;
  private static final int LINES = 400;
  private static final int LONGEST = 2000;

  private Tail() {}

  /**
   * Reads the last block of a log backwards.
   *
   * @param lines how many line breaks the log has up to the end of the block
   */
  static void read(TextBlock block, long lines, List<String> texts, List<Long> numbers) {
    int end = block.length();
    long number = lines + 1;
    int oldest = Math.max(0, block.length() - BYTES);
    for (int i = block.length() - 1; i >= oldest - 1 && texts.size() < LINES; i--) {
      if (i < oldest || block.bytes()[i] == '\n') {
        if (i < oldest && oldest > 0) {
          break;
        }
        int start = i + 1;
        while (start < end && block.bytes()[start] == 0) {
          start++;
        }
        String text = LineText.of(block.bytes(), start, Math.min(end, start + LONGEST)).strip();
        if (!text.isEmpty()) {
          texts.add(text);
          numbers.add(number);
        }
        end = Math.max(i, 0);
        number--;
      }
    }
    Collections.reverse(texts);
    Collections.reverse(numbers);
  }
}
