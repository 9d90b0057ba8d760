package dev.duoka.hardware;

/**
 * A card's connection to the host.
 *
 * @param generation of the bus
 * @param lanes how many
 * @param eachWayGbs GB/s in one direction
 */
public record Pcie(int generation, int lanes, double eachWayGbs) {}
