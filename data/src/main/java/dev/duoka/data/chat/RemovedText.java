package dev.duoka.data.chat;

import java.util.List;
import tools.jackson.databind.JsonNode;

/** Counts what a template leaves out of a turn that is to be learned. */
final class RemovedText {
  /** Where records keep what the assistant thought, beside what it said. */
  private static final List<String> THOUGHTS =
      List.of("reasoning_content", "reasoning", "thinking");

  private RemovedText() {}

  /**
   * How many characters are missing, white space at both ends aside.
   *
   * @param rendered what is learned of the turn
   */
  static int of(Message turn, String rendered) {
    int removed = missing(turn.content().strip(), rendered);
    for (String field : THOUGHTS) {
      JsonNode thought = turn.further().get(field);
      if (thought != null && thought.isString()) {
        String words = thought.stringValue().strip();
        removed += rendered.contains(words) ? 0 : words.length();
      }
    }
    return removed;
  }

  /** What is left is usually the end of the words, behind a thought, or else their beginning. */
  private static int missing(String words, String rendered) {
    if (rendered.contains(words)) {
      return 0;
    }
    int kept = longest(words, rendered, true);
    return words.length() - (kept > 0 ? kept : longest(words, rendered, false));
  }

  /** The length of the longest end, or beginning, that is there; every shorter one is, too. */
  private static int longest(String words, String rendered, boolean end) {
    int least = 0;
    int most = words.length();
    while (least < most) {
      int middle = (least + most + 1) / 2;
      String part = end ? words.substring(words.length() - middle) : words.substring(0, middle);
      if (rendered.contains(part)) {
        least = middle;
      } else {
        most = middle - 1;
      }
    }
    return least;
  }
}
