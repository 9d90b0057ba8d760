package dev.duoka.hardware;

/**
 * The rest of a machine beside its cards: memory and power.
 *
 * @param memoryGib host memory, GiB
 * @param memoryGbs its bandwidth, GB/s
 * @param watts power beside the cards
 * @param basis whether this is known of the machine or estimated
 */
public record Host(double memoryGib, double memoryGbs, double watts, Basis basis) {}
