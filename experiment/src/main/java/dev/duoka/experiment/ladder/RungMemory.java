package dev.duoka.experiment.ladder;

import dev.duoka.operations.watch.Comparison;
import java.util.List;

/**
 * Memory of the rank that was to need most, in bytes.
 *
 * @param predicted by the dry run of its step
 * @param measured by its ledger, at the peak
 * @param findings what is not as it was predicted, in words
 */
public record RungMemory(double predicted, double measured, List<String> findings) {
  public RungMemory {
    findings = List.copyOf(findings);
  }

  /**
   * Of what a run was predicted to hold and held.
   *
   * @param onCards whether the driver's figures count beside the ledgers': a process on the CPU has
   *     memory of its own that is no rank's
   */
  static RungMemory of(Comparison comparison, boolean onCards) {
    double predicted = 0;
    double measured = 0;
    int ranks = comparison.owners().stream().mapToInt(it -> it.rank() + 1).max().orElse(0);
    for (int number = 0; number < ranks; number++) {
      int rank = number;
      double said = sum(comparison, rank, true);
      if (said > predicted) {
        predicted = said;
        measured = sum(comparison, rank, false);
      }
    }
    List<String> findings =
        comparison.findings().stream()
            .filter(it -> it.kind().equals("more") || (onCards && it.kind().equals("unknown")))
            .map(Comparison.Finding::text)
            .toList();
    return new RungMemory(predicted, measured, findings);
  }

  private static double sum(Comparison comparison, int rank, boolean predicted) {
    return comparison.owners().stream()
        .filter(owner -> owner.rank() == rank)
        .mapToDouble(owner -> predicted ? owner.predicted() : owner.measured())
        .sum();
  }
}
