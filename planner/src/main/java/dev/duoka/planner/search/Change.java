package dev.duoka.planner.search;

import java.util.Optional;

/**
 * A change that makes a job fit.
 *
 * @param change what to change
 * @param plan the best plan that then fits; empty where this is not planned
 */
public record Change(String change, Optional<Plan> plan) {
  /** Whether this version runs what then fits. */
  public boolean runnable() {
    return plan.filter(Plan::runnable).isPresent();
  }
}
