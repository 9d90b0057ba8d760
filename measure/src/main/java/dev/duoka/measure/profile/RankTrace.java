package dev.duoka.measure.profile;

import dev.duoka.comm.ExchangeSpan;
import java.util.List;

/**
 * What one rank did and when, in milliseconds from a moment that all ranks share.
 *
 * @param name of the rank and its device
 * @param parts of its steps, on the stream that computes
 * @param alone when that stream did nothing but exchange
 * @param beside exchanges on streams of their own
 */
public record RankTrace(
    String name,
    List<StepProfile.Span> parts,
    List<ExchangeSpan> alone,
    List<ExchangeSpan> beside) {
  public RankTrace {
    parts = List.copyOf(parts);
    alone = List.copyOf(alone);
    beside = List.copyOf(beside);
  }
}
