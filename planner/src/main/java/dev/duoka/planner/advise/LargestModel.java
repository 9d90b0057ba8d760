package dev.duoka.planner.advise;

import dev.duoka.hardware.Machine;
import dev.duoka.planner.search.Plan;
import java.util.Optional;

/**
 * The largest model that all weights of are trained on a machine.
 *
 * @param machine the cards
 * @param states where the optimizer's states may live
 * @param model its preset; empty where not even the smallest fits
 * @param plan the fastest that this version runs with as full states as fit; empty likewise
 */
public record LargestModel(Machine machine, Home states, String model, Optional<Plan> plan) {
  /** Where states may live. */
  public enum Home {
    /** On the cards alone. */
    CARDS,
    /** In host memory, too. */
    HOST
  }
}
