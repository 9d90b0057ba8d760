package dev.duoka.data.training;

import dev.duoka.data.source.BadDataReport;
import dev.duoka.data.source.SkipReason;
import java.util.Map;

/**
 * What is known of one source.
 *
 * @param name of the source
 * @param documents with tokens
 * @param tokens of all its documents, held out or not
 * @param sequences that are trained on; 0 where it is for validation alone
 * @param heldOut sequences that are held out
 * @param weight as the run file gives it, in words: {@code 2.0}, {@code 3 epochs}; empty for none
 * @param share of the training sequences that are of it, 0 to 1
 * @param cut documents that are longer than a sequence and lose a part; 0 of text, which is cut
 *     wherever a sequence ends
 * @param cutTokens how many tokens those lose
 * @param longest tokens of the longest document; 0 of text
 * @param withoutTargets documents left out because they have nothing to learn
 * @param skipped documents left out when it was tokenised, by reason
 * @param badData what was found wrong with its documents
 */
public record SourceReport(
    String name,
    long documents,
    long tokens,
    long sequences,
    long heldOut,
    String weight,
    double share,
    long cut,
    long cutTokens,
    long longest,
    long withoutTargets,
    Map<SkipReason, Long> skipped,
    BadDataReport badData) {
  public SourceReport {
    skipped = Map.copyOf(skipped);
  }

  /** How often a row of so many sequences passes over the source. */
  public double epochs(double rowSequences) {
    return sequences == 0 ? 0 : rowSequences * share / sequences;
  }
}
