package dev.duoka.diagnosis.scan;

import dev.duoka.diagnosis.log.LineText;
import dev.duoka.diagnosis.log.LogLine;
import dev.duoka.diagnosis.rule.LineKinds;
import java.util.OptionalInt;

/**
 * Reads the last lines of a block that hold a word of progress. Steps are the most frequent lines
 * of a log, so they are only noted as they pass, and read backwards at the end of the block.
 */
final class ProgressScan {
  private static final int KEPT = 1024;

  /** So many lines are read in any case; more only where several ranks print. */
  private static final int ENOUGH = 64;

  private static final int LONGEST = 1000;

  private final int[] starts = new int[KEPT];
  private final int[] ends = new int[KEPT];
  private final long[] numbers = new long[KEPT];
  private long count;

  void note(int start, int end, long number) {
    int at = (int) (count++ % KEPT);
    starts[at] = start;
    ends[at] = end;
    numbers[at] = number;
  }

  ProgressLines read(byte[] bytes, OptionalInt rankOfLog) {
    ProgressLines progress = new ProgressLines();
    int kept = (int) Math.min(count, KEPT);
    for (int i = 0; i < kept; i++) {
      int at = (int) ((count - 1 - i) % KEPT);
      LogLine line =
          LogLine.of(LineText.of(bytes, starts[at], Math.min(ends[at], starts[at] + LONGEST)));
      String origin = ProgressLines.origin(line, rankOfLog);
      long number = numbers[at];
      int length = ends[at] - starts[at];
      if (!progress.isFull(origin)) {
        LineKinds.progress(line.body())
            .ifPresent(kind -> progress.add(origin, kind, number, length));
      }
      if (i >= ENOUGH && progress.origins() == 1 && progress.isFull(origin)) {
        break;
      }
    }
    return progress;
  }
}
