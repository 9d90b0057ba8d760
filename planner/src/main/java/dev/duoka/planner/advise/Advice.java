package dev.duoka.planner.advise;

import java.util.List;

/**
 * Machines for a job, best first.
 *
 * @param request what was asked
 * @param machines what each achieves
 * @param pricesAsOf the day the prices are of
 */
public record Advice(AdviceRequest request, List<MachineAdvice> machines, String pricesAsOf) {
  public Advice {
    machines = List.copyOf(machines);
  }
}
