package dev.duoka.planner.advise;

import dev.duoka.hardware.Machine;
import dev.duoka.planner.search.Plan;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What a machine achieves.
 *
 * @param machine the machine
 * @param plan the best plan that this version runs, else the best of all; empty where nothing fits
 * @param hours that the job takes; 0 where nothing fits
 * @param kilowattHours that it takes
 * @param rentUsd to rent the machine for the job; empty where no rent is known
 * @param buyUsd to buy its cards; empty where no price is known
 * @param affordable within the budget, in a way that was asked for; always without a budget
 * @param affordableToRent whether the budget suffices to rent it for the job
 * @param affordableToBuy whether the budget suffices to buy its cards
 * @param lacks what is missing where nothing fits
 */
public record MachineAdvice(
    Machine machine,
    Optional<Plan> plan,
    double hours,
    double kilowattHours,
    OptionalDouble rentUsd,
    OptionalDouble buyUsd,
    boolean affordable,
    boolean affordableToRent,
    boolean affordableToBuy,
    String lacks) {

  /** Whether the job fits. */
  public boolean fits() {
    return plan.isPresent();
  }
}
