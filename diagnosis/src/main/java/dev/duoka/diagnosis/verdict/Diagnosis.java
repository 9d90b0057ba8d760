package dev.duoka.diagnosis.verdict;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.diagnosis.log.LogSource;
import dev.duoka.diagnosis.rule.RuleBook;
import dev.duoka.diagnosis.scan.LogScan;
import dev.duoka.diagnosis.scan.Scan;
import java.util.List;

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
    return of(scan);
  }

  /** Judges what was seen. */
  public static Diagnosis of(Scan scan) {
    Judgement judgement = new Judgement(scan, RuleBook.standard());
    return new Diagnosis(
        judgement.findings(), judgement.survived(), scan.logs().size(), scan.lines(), scan.bytes());
  }
}
