package dev.duoka.diagnosis.verdict;

import dev.duoka.diagnosis.log.LogSource;
import dev.duoka.diagnosis.rule.RuleBook;
import dev.duoka.diagnosis.scan.LogScan;
import dev.duoka.diagnosis.scan.Scan;
import java.util.List;

/**
 * What is known after reading the logs.
 *
 * @param findings best first; empty where nothing failed
 * @param logs how many logs were read
 */
public record Diagnosis(List<Finding> findings, int logs, long lines, long bytes) {
  private static final int MOST_WORKERS = 4;

  /** Reads the logs and judges what they hold, by the rules that belong to the program. */
  public static Diagnosis of(List<LogSource> sources) {
    int workers = Math.clamp(Runtime.getRuntime().availableProcessors(), 1, MOST_WORKERS);
    return of(new LogScan(RuleBook.standard(), workers).scan(sources));
  }

  /** Judges what was seen. */
  public static Diagnosis of(Scan scan) {
    return new Diagnosis(
        new Judgement(scan, RuleBook.standard()).findings(),
        scan.logs().size(),
        scan.lines(),
        scan.bytes());
  }
}
