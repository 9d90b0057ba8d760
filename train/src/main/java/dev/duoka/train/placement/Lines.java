package dev.duoka.train.placement;

import java.util.ArrayList;
import java.util.List;

/** Breaks sentences into lines for a terminal. */
public final class Lines {
  private static final int WIDTH = 96;
  private static final String INDENT = "  ";

  private Lines() {}

  /** A sentence in lines of at most 96 columns, those that follow the first indented. */
  public static List<String> of(String sentence) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : sentence.split(" ")) {
      if (!line.isEmpty() && line.length() + 1 + word.length() > WIDTH) {
        lines.add(line.toString());
        line.setLength(0);
        line.append(INDENT).append(word);
      } else {
        line.append(line.isEmpty() ? "" : " ").append(word);
      }
    }
    lines.add(line.toString());
    return lines;
  }
}
