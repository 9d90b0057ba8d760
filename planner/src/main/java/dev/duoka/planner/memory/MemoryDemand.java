package dev.duoka.planner.memory;

/**
 * What a layout asks for in all.
 *
 * @param deviceBytes of the busiest rank
 * @param stateBytes of the rank with most weights, gradients and optimizer states on its card
 * @param hostBytes of all ranks together, for what is offloaded
 */
public record MemoryDemand(double deviceBytes, double stateBytes, double hostBytes) {}
