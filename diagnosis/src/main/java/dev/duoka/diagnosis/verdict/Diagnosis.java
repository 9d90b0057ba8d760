package dev.duoka.diagnosis.verdict;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.diagnosis.log.LogSource;
import dev.duoka.diagnosis.rule.RuleBook;
import dev.duoka.diagnosis.scan.LogScan;
import dev.duoka.diagnosis.scan.Scan;
import dev.duoka.diagnosis.scan.ScannedLog;
import dev.duoka.diagnosis.scan.Sighting;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What is known after reading the logs.
 *
 * @param findings best first; empty where nothing failed
 * @param survived lines that look like failures, but the run went on after them
 * @param logs how many logs were read
 */
public record Diagnosis(
    List<Finding> findings, List<Evidence> survived, int logs, long lines, long bytes) {
  private static final int MOST_WORKERS = 4;

  /** No program prints a longer line for people. */
  private static final int LONGEST_LINE = 8192;

  /** Reads the logs and judges what they hold, by the rules that belong to the program. */
  public static Diagnosis of(List<LogSource> sources) {
    int workers = Math.clamp(Runtime.getRuntime().availableProcessors(), 1, MOST_WORKERS);
    Scan scan = new LogScan(RuleBook.standard(), workers).scan(sources);
    if (scan.bytes() == 0) {
      throw new DuokaException(
          ErrorCode.USAGE,
          (sources.size() == 1 ? sources.getFirst().name() + " is" : "all logs are") + " empty",
          "An empty log tells nothing; give the output of the run, standard error included"
              + " (2>&1).");
    }
    refuseWhatIsNoLog(scan);
    return of(scan);
  }

  /** Bytes without a line break, or without a letter, are no log in which nothing failed. */
  private static void refuseWhatIsNoLog(Scan scan) {
    Set<Integer> known = scan.sightings().stream().map(Sighting::log).collect(Collectors.toSet());
    for (int i = 0; i < scan.logs().size(); i++) {
      ScannedLog log = scan.logs().get(i);
      boolean blank = log.tail().isEmpty() && (log.lines() <= 1 || log.bytes() <= LONGEST_LINE);
      boolean endless =
          log.lines() <= 1
              && log.bytes() > LONGEST_LINE
              && log.tail().stream().noneMatch(line -> line.indexOf('\r') >= 0);
      if (known.contains(i) || !(blank || endless)) {
        return;
      }
    }
    ScannedLog first = scan.logs().getFirst();
    throw new DuokaException(
        ErrorCode.USAGE,
        first.source().name()
            + " is not a log: it holds "
            + (first.tail().isEmpty()
                ? "no line of text: blanks, zero bytes, or a line that does not end"
                : first.bytes() + " bytes without a line break"),
        "Give the output of the run as it was printed, standard error included (2>&1).");
  }

  /** Judges what was seen. */
  public static Diagnosis of(Scan scan) {
    Judgement judgement = new Judgement(scan, RuleBook.standard());
    return new Diagnosis(
        judgement.findings(), judgement.survived(), scan.logs().size(), scan.lines(), scan.bytes());
  }
}
